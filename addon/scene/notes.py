"""What a scene must know of its photo later on, written on the root empty so that it is saved, copied and undone with it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import bpy

from ..moves import Shot
from ..vision.geometry import Framing, frame_photo
from ..vision.grain import Grain
from ..vision.landmarks import Person, from_json, to_json
from ..vision.layered import LayeredPhoto, PhotoCamera

KEY = "stillscape"
_PHOTO, _CONSENT, _PEOPLE = "stillscape_photo", "stillscape_consent", "stillscape_people"
_GRAIN = "stillscape_grain"


class Notes(NamedTuple):
    """size: (width, height) of the photo in pixels. near, far: metres, as built. film, crop: the film's size in
    pixels and how much less of the photo it shows, which the camera was framed for. frames, fps: length and speed of the camera's move.
    clip: the photo is a film, whose length and speed those are, whatever the move. subject: where in the photo its subject is, in
    shares from the left and the top, if known; framed: the same, if the camera was framed for it."""

    camera: PhotoCamera
    size: tuple[int, int]
    near: float
    far: float
    film: tuple[int, int]
    crop: float
    frames: int
    fps: float
    clip: bool = False
    subject: tuple[float, float] | None = None
    framed: tuple[float, float] | None = None


def write_notes(
    root: bpy.types.Object,
    layered: LayeredPhoto,
    film: tuple[int, int],
    crop: float,
    shot: Shot,
    framed: tuple[float, float] | None = None,
) -> None:
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
        "film": list(film),
        "crop": crop,
        "frames": shot.frames,
        "fps": float(shot.fps),
        "clip": layered.frames is not None,
        **{name: list(point) for name, point in (("subject", layered.aim), ("framed", framed)) if point is not None},
    }


def read_notes(root: bpy.types.Object) -> Notes | None:
    """The notes on a root empty; None if there are none or they are not ours."""
    kept = root.get(KEY)
    try:
        camera = PhotoCamera(kept["fov"], tuple(kept["shift"]), kept["pitch"], kept["height"])
        size, film = (tuple(int(n) for n in kept[name]) for name in ("size", "film"))
        shot = int(kept["frames"]), kept["fps"]
        points = (None if kept.get(name) is None else tuple(float(n) for n in kept[name]) for name in ("subject", "framed"))
        return Notes(camera, size, kept["near"], kept["far"], film, kept.get("crop", 0.0), *shot, bool(kept.get("clip", False)), *points)
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


def window(notes: Notes, film: tuple[int, int] | None = None, crop: float | None = None) -> Framing:
    """What of the photo its camera shows, or would show in a film of this size and with this crop."""
    return frame_photo(notes.camera, notes.size, film or notes.film, notes.crop if crop is None else crop, notes.framed)


def note_grain(root: bpy.types.Object, layered: LayeredPhoto) -> None:
    """Note what `grain_of` gives back, if the photo's grain was measured."""
    if layered.made.get("grain") is not None:
        root[_GRAIN] = [float(n) for n in layered.made["grain"]]


def grain_of(root: bpy.types.Object) -> Grain | None:
    """The photo's grain, which its film texture is without; None if it was not measured."""
    kept = root.get(_GRAIN)
    try:
        return None if kept is None else Grain.from_list(list(kept))
    except (TypeError, ValueError):
        return None


def note_photo(root: bpy.types.Object, layered: LayeredPhoto) -> None:
    """Note which photo it is, for `consents`."""
    root[_PHOTO] = str(layered.made.get("photo_sha256", ""))


def set_consent(root: bpy.types.Object, given: bool) -> None:
    """The user has, or has not, the right to animate the people in this photo. It is kept with the file, for this photo alone."""
    if given:
        root[_CONSENT] = _photo(root)
    elif _CONSENT in root:
        del root[_CONSENT]


def consents(root: bpy.types.Object) -> bool:
    """Whether the user has confirmed the right to animate the people in this very photo."""
    return root.get(_CONSENT) == _photo(root)


def _photo(root: bpy.types.Object) -> str:
    return str(root.get(_PHOTO, "")) or "this photo"  # files of older versions do not know which


def note_people(root: bpy.types.Object, people: tuple[Person, ...]) -> None:
    """Note who is in the photo and where, for `people_of`."""
    root[_PEOPLE] = to_json(people)


def people_of(root: bpy.types.Object) -> tuple[Person, ...]:
    """The people of a photo as they were found or placed; nobody if that was not done. Raises InputError if the note was damaged."""
    kept = root.get(_PEOPLE)
    return from_json(kept, Path(root.name)) if isinstance(kept, str) else ()


def note_shot(root: bpy.types.Object, shot: Shot) -> None:
    """The camera has another move."""
    root[KEY]["frames"] = shot.frames
    root[KEY]["fps"] = float(shot.fps)


def note_film(root: bpy.types.Object, film: tuple[int, int], crop: float, framed: tuple[float, float] | None = None) -> None:
    """The camera is framed for another film size, crop or point of the photo."""
    root[KEY]["film"] = list(film)
    root[KEY]["crop"] = crop
    if framed is not None:
        root[KEY]["framed"] = list(framed)
    elif "framed" in root[KEY]:
        del root[KEY]["framed"]


def distance_now(notes: Notes, distance: float, near: float, far: float, strength: float) -> float:
    """Metres to what was `distance` away when it was built, after the artist set the relief to `near`, `far`, `strength`."""
    d = (1 / distance - 1 / notes.far) / (1 / notes.near - 1 / notes.far)
    return 1 / max(1e-9, strength * min(1.0, max(0.0, d)) * (1 / near - 1 / far) + 1 / far)
