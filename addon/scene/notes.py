"""What a scene must know of its photo later on, written on the root empty so that it is saved, copied and undone with it."""

from __future__ import annotations

from typing import NamedTuple

import bpy

from ..moves import Shot, Stage
from ..vision.geometry import ray_map
from ..vision.layered import LayeredPhoto, PhotoCamera

KEY = "stillscape"


class Notes(NamedTuple):
    """size: (width, height) of the photo in pixels. near, far, focus: metres, as built. film: the film's size in pixels,
    which the camera was framed for. frames, fps: length and speed of the camera's move."""

    camera: PhotoCamera
    size: tuple[int, int]
    near: float
    far: float
    focus: float
    film: tuple[int, int]
    frames: int
    fps: float


def write_notes(root: bpy.types.Object, layered: LayeredPhoto, film: tuple[int, int], shot: Shot) -> None:
    """Note what `read_notes` gives back."""
    camera = layered.camera
    root[KEY] = {
        "size": list(layered.size),
        "fov": camera.fov,
        "shift": list(camera.shift),
        "pitch": camera.pitch,
        "height": camera.height,
        "near": layered.near,
        "far": layered.far,
        "focus": layered.focus,
        "film": list(film),
        "frames": shot.frames,
        "fps": float(shot.fps),
    }


def read_notes(root: bpy.types.Object) -> Notes | None:
    """The notes on a root empty; None if there are none or they are not ours."""
    kept = root.get(KEY)
    try:
        camera = PhotoCamera(kept["fov"], tuple(kept["shift"]), kept["pitch"], kept["height"])
        size, film = (tuple(int(n) for n in kept[name]) for name in ("size", "film"))
        return Notes(camera, size, kept["near"], kept["far"], kept["focus"], film, int(kept["frames"]), kept["fps"])
    except (KeyError, TypeError, ValueError):
        return None


def note_shot(root: bpy.types.Object, shot: Shot) -> None:
    """The camera has another move."""
    root[KEY]["frames"] = shot.frames
    root[KEY]["fps"] = float(shot.fps)


def note_film(root: bpy.types.Object, film: tuple[int, int]) -> None:
    """The camera is framed for another film size."""
    root[KEY]["film"] = list(film)


def stage_now(notes: Notes, near: float, far: float, strength: float) -> Stage:
    """What a move must know, after the artist has set the relief to `near`, `far` (metres) and `strength`."""
    d = (1 / notes.focus - 1 / notes.far) / (1 / notes.near - 1 / notes.far)
    span = strength * (1 / near - 1 / far)
    nearest, focus = (1 / max(1e-9, at * span + 1 / far) for at in (1.0, min(1.0, max(0.0, d))))
    return Stage(nearest, focus, ray_map(notes.camera, notes.size).width)
