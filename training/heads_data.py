"""Makes the landmark network's samples from what training/heads.py has drawn: backgrounds, crops, occlusion, and how a photo looks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from addon.errors import InputError
from addon.vision.face_network import MOUTH_DOWN, SIDE, Window, window_of_points
from addon.vision.files import shown
from addon.vision.landmarks import CHIN, LEFT_EYE, LEFT_PUPIL, MIRROR, OUTER_LIPS, RIGHT_EYE, RIGHT_PUPIL
from addon.vision.texture import srgb_to_linear

from . import formation
from .heads_mesh import BRIGHTEST
from .scenes.textures import KINDS

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]
Random = np.random.Generator

HELD_OUT = 20
"""One scene of so many is never learnt from."""
_BACKGROUNDS = 160
_LOPSIDED = (
    (CHIN, (0.05, 0.05), 0.3, 0.7),
    (OUTER_LIPS.start + 9, (0.05, 0.02), 0.7, 1.2),  # the middle of the lower lip, and with it all below the eyes
    (OUTER_LIPS.start, (0.035, 0.035), 0.25, 0.45),
    (OUTER_LIPS.start + 6, (0.035, 0.035), 0.25, 0.45),
)
"""Of landmarks that a bend moves: standard deviations across and down, cut off at 2.5, least and largest radius, all in distances of the pupils."""


class Scene(NamedTuple):
    """light: uint16 N×S×S×3; cover: uint8 N×S×S; points: float32 N×70×2. As in the files, memory-mapped."""

    light: NDArray[np.uint16]
    cover: NDArray[np.uint8]
    points: Floats


class Sample(NamedTuple):
    """picture: uint8 SIDE×SIDE×3; points: float32 70×2 in shares of the square; unit: the distance of the pupils in the same."""

    picture: Bytes
    points: Floats
    unit: float


def find(folder: Path, *, held_out: bool) -> list[Path]:
    """The finished scenes to learn from, or those held out, sorted. Raises InputError if there are none."""
    found = sorted(file.parent for file in folder.glob("*/points.npy"))
    found = [scene for scene in found if (int(scene.name) % HELD_OUT == 0) == held_out]
    if not found:
        raise InputError(
            f"{shown(folder)}: there are no heads to learn from; draw some with python -m training.heads --out {shown(folder)}."
        )
    return found


@lru_cache(maxsize=4096)
def load(folder: Path) -> Scene:
    return Scene(*(np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("light", "cover", "points")))


@lru_cache(maxsize=1)
def backgrounds() -> list[Floats]:
    """Pictures of surfaces, linear."""
    random = np.random.default_rng(5)
    names = sorted(KINDS)
    drawn = [KINDS[names[i % len(names)]].draw(random, None) for i in range(_BACKGROUNDS)]
    return [
        srgb_to_linear(cv2.resize(p, (160, 160), interpolation=cv2.INTER_AREA).astype(np.float32) / 255).astype(np.float32) for p in drawn
    ]


def aimed(points: Floats, random: Random) -> Window:
    """A window about a face with errors as the cascades, or a first look, make them, or a close look at its eyes or its mouth and chin."""
    true = window_of_points(points.astype(np.float64))
    unit = true.unit
    kind = random.random()
    if kind < 0.55:  # a close look at eyes, nose and mouth, or at what is below the eyes
        dx, dy = random.normal(0, 0.04, 2) * unit
        tilt, share = true.tilt + random.normal(0, 0.05), random.uniform(0.58, 0.85)
        near = Window(true.x + dx, true.y + dy, unit, tilt)
        return near.close(share) if kind < 0.3 else near.close(share, MOUTH_DOWN + random.normal(0, 0.05))
    if random.random() < 0.35:  # by the eyes alone, which are nearer to each other in a face that is turned
        unit = max(float(np.linalg.norm(points[LEFT_PUPIL] - points[RIGHT_PUPIL])), 0.6 * unit)
    rough = random.random() < 0.6
    unit *= math.exp(random.normal(0, 0.12 if rough else 0.05))
    dx, dy = random.normal(0, 0.12 if rough else 0.04, 2) * true.unit
    tilt = random.normal(0, 0.14 if rough else 0.05)
    if rough and random.random() < 0.15:
        tilt += random.uniform(-0.5, 0.5)
    return Window(true.x + dx, true.y + dy, unit, true.tilt + tilt)


@dataclass(frozen=True)
class Bend:
    """A smooth change of a face's proportions in the picture: places to places, all in pixels.

    The base mesh's faces vary less than people's, and their eyes are too narrow: the opening of its average is 0.44 of the pupils' distance wide
    and the inner corners 0.57 apart, where people have 0.49 and 0.51 (Farkas 1994, "Anthropometry of the head and face"; adults' means).
    Nor are they as lopsided: chins and corners of the mouth go their own ways too, or their places would be told from the eyes' alone.

    middle: 2; scale: 2, across and down; spots: K×5 (place, shift, radius); eyes: 2×6 (place, stretch across and down, radii across and down).
    """

    middle: NDArray[np.float64]
    scale: NDArray[np.float64]
    spots: NDArray[np.float64]
    eyes: NDArray[np.float64]

    @classmethod
    def drawn(cls, points: Floats, random: Random) -> Bend:
        unit = window_of_points(points.astype(np.float64)).unit
        count = 6
        at = points[random.integers(0, len(points), count)] + random.normal(0, 0.2 * unit, (count, 2))
        shift, radius = random.normal(0, 0.04 * unit, (count, 2)), random.uniform(0.2, 0.7, (count, 1)) * unit
        spots = [np.hstack([at, shift, radius])]
        for i, deviation, least, largest in _LOPSIDED:
            off = np.clip(random.normal(0, 1, 2), -2.5, 2.5) * np.array(deviation) * unit
            spots.append(np.array([[*points[i], *off, random.uniform(least, largest) * unit]]))
        across, down = np.clip(random.normal(0.1, 0.07), -0.1, 0.28), np.clip(random.normal(0.12, 0.14), -0.2, 0.4)
        eyes = []
        for rim in (RIGHT_EYE, LEFT_EYE):
            wide = max(float(np.ptp(points[rim, 0])), 0.15 * unit)
            eyes.append([*points[rim].mean(0), across, down, 0.85 * wide, 0.65 * wide])
        return cls(points.mean(0).astype(np.float64), random.normal(0, 0.05, 2), np.concatenate(spots), np.array(eyes))

    def __call__(self, at: NDArray[np.float64]) -> NDArray[np.float64]:
        """Where (…×2) the rendered picture has what the bent one shows at `at`."""
        result = at + (at - self.middle) * self.scale
        for x, y, dx, dy, radius in self.spots:
            near = np.exp(-((at[..., 0] - x) ** 2 + (at[..., 1] - y) ** 2) / (2 * radius**2))
            result += near[..., None] * np.array([dx, dy])
        for x, y, across, down, wide, tall in self.eyes:
            off = at - np.array([x, y])
            near = np.exp(-((off[..., 0] / wide) ** 2 + (off[..., 1] / tall) ** 2) / 2)
            result -= near[..., None] * off * np.array([across, down])
        return result

    def back(self, at: NDArray[np.float64]) -> NDArray[np.float64]:
        """Where the bent picture shows what the rendered one has at `at` (…×2)."""
        result = at.copy()
        for _ in range(12):
            result += at - self(result)
        return result


def _seen(layers: Floats, matrix: NDArray[np.float64], bend: Bend | None) -> Floats:
    """The square of a picture H×W×C that a matrix (2×3, picture to square) cuts out, bent or not."""
    if bend is None:
        middles = matrix.copy()
        middles[:, 2] += matrix[:, :2] @ np.array([0.5, 0.5]) - 0.5
        return cv2.warpAffine(layers, middles, (SIDE, SIDE), flags=cv2.INTER_LINEAR)
    grid = np.stack(np.meshgrid(np.arange(0.0, SIDE + 1, 4), np.arange(0.0, SIDE + 1, 4)), -1)  # every fourth pixel is smooth enough
    places = bend((grid - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T) - 0.5
    # To the middles of the square's pixels: a grid of 29 corners, sampled at 0.125, 0.375 ... of its steps.
    row = ((np.arange(SIDE) + 0.5) / 4).astype(np.float32)
    x, y = np.meshgrid(row, row)
    maps = cv2.remap(places.astype(np.float32), x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return cv2.remap(layers, maps, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)


def sample(scene: Scene, view: int, random: Random, *, plain: bool = False) -> Sample:
    """One picture as a photo of it might be. plain: nothing but a background, crop and exposure."""
    bent = not plain and random.random() < 0.8
    points = np.asarray(scene.points[view], np.float32)
    window = aimed(points, random)
    mirrored = bool(random.random() < 0.5)
    matrix = window.matrix(mirrored=mirrored)
    bend = None if not bent else Bend.drawn(points, random)
    light = (np.asarray(scene.light[view], np.float32) / 65535) ** 2 * BRIGHTEST
    layers = np.dstack([light, np.asarray(scene.cover[view], np.float32) / 255])
    layers = _seen(layers, matrix, bend)
    light, cover = layers[..., :3], layers[..., 3:]
    light = light * np.exp(random.normal(0, 0.06, 3)).astype(np.float32)
    if not plain and random.random() < 0.3:
        light = light * _slope(random)
    light = light + (1 - cover) * _behind(random)
    if not plain and random.random() < 0.15:
        light = _hidden(light, random)
    if not plain:
        light = light * np.float32(2.0 ** random.normal(0, 0.5))
    picture = formation.photo(np.ascontiguousarray(light), np.zeros(light.shape[:2], np.float32), random, 0.0 if plain else 1.0)
    if not plain:
        picture = _worse(picture, random)
    at = points.astype(np.float64) if bend is None else bend.back(points.astype(np.float64))
    at = at @ matrix[:, :2].T + matrix[:, 2]
    if mirrored:
        at = at[list(MIRROR)]
    unit = window_of_points(points.astype(np.float64)).unit * float(np.linalg.norm(matrix[0, :2])) / SIDE
    return Sample(picture, (at / SIDE).astype(np.float32), unit)


def _slope(random: Random) -> Floats:
    """Light that falls off from one side to the other."""
    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32) / SIDE - 0.5
    a = random.uniform(0, 2 * np.pi)
    return np.exp(random.uniform(0.5, 3.0) * (x * np.cos(a) + y * np.sin(a)))[..., None].astype(np.float32)


def _behind(random: Random) -> Floats:
    """A background, linear, SIDE×SIDE×3."""
    kind = random.random()
    if kind < 0.2:
        picture = np.tile(random.random(3).astype(np.float32), (SIDE, SIDE, 1))
    else:
        picture = backgrounds()[int(random.integers(_BACKGROUNDS))]
        turn = cv2.getRotationMatrix2D((80, 80), random.uniform(0, 360), float(np.exp(random.uniform(-0.2, 1.2))))
        picture = cv2.warpAffine(picture, turn, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    if random.random() < 0.5:
        other = backgrounds()[int(random.integers(_BACKGROUNDS))][:SIDE, :SIDE]
        y, x = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32) / SIDE - 0.5
        a = random.uniform(0, 2 * np.pi)
        picture = np.where((x * np.cos(a) + y * np.sin(a) > random.uniform(-0.4, 0.4))[..., None], picture, other)
    if random.random() < 0.5:
        picture = cv2.GaussianBlur(picture, (0, 0), random.uniform(0.7, 6))
    level = float(np.exp(random.normal(-1.7, 0.9)))
    return (picture * np.float32(level / max(float(picture.mean()), 1e-3))).astype(np.float32)


def _hidden(light: Floats, random: Random) -> Floats:
    """Something before the face: a hand, a cup, a strand of hair, a microphone."""
    mask = np.zeros((SIDE, SIDE), np.float32)
    middle = random.uniform(0, SIDE, 2)
    axes = random.uniform(3, 26, 2)
    cv2.ellipse(mask, (tuple(middle), tuple(2 * axes), random.uniform(0, 180)), 1.0, -1)
    mask = cv2.GaussianBlur(mask, (0, 0), random.uniform(0.5, 1.5))[..., None]
    if random.random() < 0.4:
        colour = light[int(random.integers(40, 80)), int(random.integers(35, 75))] * random.uniform(0.5, 1.3)
        return light + (colour - light) * mask
    return light + (_behind(random) - light) * mask


def _worse(picture: Bytes, random: Random) -> Bytes:
    """Seen from far away, and where the photo ends."""
    if random.random() < 0.3:
        size = int(random.integers(26, 90))
        small = cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA)
        if random.random() < 0.5:
            small = formation.compressed(small, int(random.integers(30, 90)))
        picture = cv2.resize(small, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC if random.random() < 0.5 else cv2.INTER_LINEAR)
    if random.random() < 0.08:
        edge = int(random.integers(2, 24))
        picture = picture.copy()
        side = int(random.integers(4))
        if side == 0:
            picture[:edge] = picture[edge]
        elif side == 1:
            picture[SIDE - edge :] = picture[SIDE - edge - 1]
        elif side == 2:
            picture[:, :edge] = picture[:, edge : edge + 1]
        else:
            picture[:, SIDE - edge :] = picture[:, SIDE - edge - 1 : SIDE - edge]
    return picture


class Samples(Dataset[tuple[Tensor, Tensor, Tensor]]):
    """Samples by number: view i of all, drawn with a generator of that number and of `seed`."""

    def __init__(self, scenes: list[Path], seed: int, *, length: int, plain: bool = False) -> None:
        self.views = [(folder, k) for folder in scenes for k in range(len(load(folder).points))]
        self.seed, self.length, self.plain = seed, length, plain

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, number: int) -> tuple[Tensor, Tensor, Tensor]:
        random = np.random.default_rng([self.seed, number])
        folder, view = self.views[int(random.integers(len(self.views)))] if not self.plain else self.views[number % len(self.views)]
        made = sample(load(folder), view, random, plain=self.plain)
        return (
            torch.from_numpy(np.ascontiguousarray(made.picture.transpose(2, 0, 1))),
            torch.from_numpy(made.points),
            torch.tensor(made.unit, dtype=torch.float32),
        )
