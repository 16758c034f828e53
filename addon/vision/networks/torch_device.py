"""Where torch runs, and how it says that memory ran out: the same for every network that runs on it.

torch itself is imported inside the functions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from ...errors import DeviceError
from ..files import shown
from . import OutOfMemory

if TYPE_CHECKING:
    import torch  # pyright: ignore[reportMissingImports]

T = TypeVar("T")

_LACK = ("out of memory", "not enough memory", "can't allocate memory", "ALLOC_FAILED")


def find_device(name: str) -> tuple[torch.device, str]:
    """torch's device of that name ("cpu", "cuda:1", "mps"), and what people call it. Raises DeviceError if it is not there."""
    import torch  # pyright: ignore[reportMissingImports]

    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, ValueError, NotImplementedError) as error:
        reason = str(error).partition("\n")[0]
        raise DeviceError(f"The device {shown(name)} cannot be used by PyTorch here ({reason}); choose another or cpu.") from error
    kind = str(device.type)
    return device, torch.cuda.get_device_name(device) if kind == "cuda" else {"cpu": "CPU", "mps": "Apple GPU"}.get(kind, kind)


def lacks_memory(error: Exception) -> bool:
    """Whether an exception of torch or numpy says that memory ran out."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in _LACK)


def within_memory(run: Callable[[], T], device: torch.device) -> T:
    """What `run` returns. Raises OutOfMemory where memory runs out, with that of the failed run free again."""
    try:
        return run()
    except Exception as error:
        if not lacks_memory(error):
            raise
        lack = str(error).partition("\n")[0]
    # Out here the exception is gone, and with it the frames that held the failed run's tensors.
    if device.type == "cuda":
        import torch  # pyright: ignore[reportMissingImports]

        torch.cuda.empty_cache()
    raise OutOfMemory(lack)
