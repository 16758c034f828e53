"""The people of a photo as the settings ask for them: whom to rig, read from a file of landmarks or found."""

from __future__ import annotations

from pathlib import Path

from ..errors import InputError
from ..spec import RigSpec
from .faces import Face
from .files import shown
from .landmarks import Person
from .layering import MOST_PIXELS, grid_size, photo_colour
from .photo import Photo
from .refine import Floats
from .subject import FoundPeople, SubjectFiles, find_people, people_for


def files_of(settings: RigSpec) -> SubjectFiles:
    """The user's own networks; a detector that is ONNX is YuNet."""
    face, detector, pose = (Path(name) if name else None for name in (settings.face_network, settings.face_detector, settings.pose_network))
    is_yunet = detector is not None and detector.suffix.lower() == ".onnx"
    return SubjectFiles(None if is_yunet else detector, face, detector if is_yunet else None, pose)


def wanted(photo: Photo, d: Floats, settings: RigSpec, faces: tuple[Face, ...] | None = None) -> FoundPeople:
    """Everybody whom `settings` wants to be rigged, with their silhouettes; nobody without a rig.

    d: float32 of any size in [0, 1] over the photo, 1 near. faces: what `find_faces` has found in it, if that was done. Raises InputError if there is nobody, or a file cannot be used.
    """
    if settings.kind == "none":
        return FoundPeople((), {})
    landmarks = Path(settings.landmarks) if settings.landmarks else None
    colour = photo_colour(photo, grid_size(photo.size, MOST_PIXELS))
    found = people_for(colour, d, files_of(settings), body=settings.kind == "body", landmarks=landmarks, faces=faces)
    if not found.people or (settings.kind == "face" and not has_faces(found.people)):
        raise nobody(landmarks or photo.path)
    return found


def find_in(photo: Photo, settings: RigSpec) -> tuple[Person, ...]:
    """Look for people in a photo, with the networks that `settings` names. Raises InputError if one of them cannot be used."""
    return find_people(photo_colour(photo, grid_size(photo.size, MOST_PIXELS)), files_of(settings), body=settings.kind == "body")


def has_faces(people: tuple[Person, ...]) -> bool:
    """Whether the face of any of them is known."""
    return any(person.face is not None for person in people)


def nobody(photo: Path | str) -> InputError:
    """What to raise where nobody was found."""
    return InputError(
        f"{shown(photo)}: no face was found in it; place one with five clicks in Blender's Subject panel, or name a file of landmarks with --landmarks."
    )
