"""The people of a photo, as the settings ask for them: read from a file of landmarks, or found."""

from __future__ import annotations

from pathlib import Path

from ..errors import InputError
from ..spec import RigSpec
from .files import read_file, shown
from .landmarks import FILE, Person, from_json
from .layered import LayeredPhoto
from .layering import MOST_PIXELS, grid_size, photo_colour
from .photo import Photo

_LARGEST = 64 * 1024 * 1024  # bytes of a file of landmarks; a crowd of a thousand has 4 MB


def wanted(photo: Photo, settings: RigSpec) -> tuple[Person, ...]:
    """Everybody whom `settings` wants to be rigged; nobody without a rig.

    Raises InputError if nobody can be, or a file cannot be used.
    """
    if settings.kind == "none":
        return ()
    people = read_landmarks(Path(settings.landmarks)) if settings.landmarks else find_in(photo, settings)
    if not people or (settings.kind == "face" and not has_faces(people)):
        raise nobody(settings.landmarks or photo.path)
    return people


def find_in(photo: Photo, settings: RigSpec) -> tuple[Person, ...]:
    """Look for people in a photo, with the networks that `settings` names. Raises InputError if one of them cannot be used."""
    from .subject import SubjectFiles, find_people

    files = SubjectFiles(*(Path(name) if name else None for name in (settings.face_network, settings.face_detector, settings.pose_network)))
    return find_people(photo_colour(photo, grid_size(photo.size, MOST_PIXELS)), files, body=settings.kind == "body")


def read_landmarks(path: Path) -> tuple[Person, ...]:
    """The people of a file of landmarks. Raises InputError if it is not one."""
    data = read_file(path, limit=_LARGEST)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{shown(path)}: not a file of landmarks (it is not text); write it with the Subject panel or the landmarks command."
        ) from error
    return from_json(text, path)


def people_of(layered: LayeredPhoto) -> tuple[Person, ...]:
    """The people whose landmarks a layered photo holds. Raises InputError if its file is damaged."""
    path = layered.path(FILE)
    return read_landmarks(path) if path.is_file() else ()


def has_faces(people: tuple[Person, ...]) -> bool:
    """Whether the face of any of them is known."""
    return any(person.face is not None for person in people)


def nobody(photo: Path | str) -> InputError:
    """What to raise where nobody was found."""
    return InputError(
        f"{shown(photo)}: no face was found in it; place one with five clicks in Blender's Subject panel, or name a file of landmarks with --landmarks."
    )
