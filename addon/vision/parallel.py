"""How much is worked on at once where NumPy and OpenCV let each other work: short-lived threads that touch arrays alone."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def worker_count(most: int) -> int:
    """As many as there are processors, at most `most`."""
    return max(1, min(most, os.cpu_count() or 1))


@contextmanager
def workers(most: int) -> Iterator[ThreadPoolExecutor]:
    """A pool that is gone afterwards; what has not begun by then is not begun, whatever ended the block."""
    with ThreadPoolExecutor(worker_count(most)) as pool:
        try:
            yield pool
        finally:
            pool.shutdown(cancel_futures=True)


def map_parallel(function: Callable[[T], R], values: Iterable[T], most: int) -> list[R]:
    """The results for all values, in their order. Raises what the function raises."""
    with workers(most) as pool:
        return list(pool.map(function, values))
