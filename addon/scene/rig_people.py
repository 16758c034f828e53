"""From a layered photo and its landmarks to what a rig is made of; between vision, which knows no scene, and rig.py."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import bpy
import numpy as np
from numpy.typing import NDArray

from ..vision.face_fit import fit_face
from ..vision.geometry import ray_map
from ..vision.landmarks import Person
from ..vision.layered import LayeredPhoto
from ..vision.layering import photo_colour
from ..vision.photo import Photo, read_photo
from ..vision.subject_depth import source_of
from . import compat
from .build import MAX_MEGAPIXELS
from .rebuild import seen_depth
from .relief import numbers, relief_modifier

if TYPE_CHECKING:
    from ..vision.subject_rig import RigData

log = logging.getLogger(__name__)


def photo_of(layered: LayeredPhoto) -> Photo:
    """The photo itself. Raises InputError if it cannot be read."""
    return read_photo(layered.path(layered.photo), max_megapixels=MAX_MEGAPIXELS)


def rig_data(
    layered: LayeredPhoto, person: Person, photo: Photo, root: bpy.types.Object, *, body: bool, layer: bpy.types.Object | None = None
) -> RigData | None:
    """All that the rig of a person is made of, with the relief as it is now; None, and a warning, of whom too little is known or seen.

    body: with limbs. layer: the person's live layer, whose depth is read as it is painted; None for the folder's own. Raises InputError if
    a file is damaged or the landmarks lie in one place.
    """
    from ..vision.subject_rig import rig_subject

    near, far, strength = numbers(root)
    d = None if layer is None else _painted(layer, layered)
    source = source_of(layered, ray_map(layered.camera, layered.size), person.name, d=d, strength=strength, near=near, far=far)
    if source is None:
        log.warning("%s has no layer of their own in %s, and cannot be rigged.", person.name, layered.name)
        return None
    fit = None if person.face is None else fit_face(person.face, layered.camera, layered.size)
    try:
        return rig_subject(photo_colour(photo, photo.size), source, person, fit, body=body)
    except ValueError as error:
        log.warning("%s in %s cannot be rigged: %s.", person.name, layered.name, error)
        return None


def layer_index(layered: LayeredPhoto, person: Person) -> int | None:
    """Which of the layers is a person's, from the front; None if they have none."""
    return next((i for i, layer in enumerate(layered.layers) if layer.person == person.name), None)


def _painted(layer: bpy.types.Object, layered: LayeredPhoto) -> NDArray[np.float32] | None:
    """The photo's visible depth as it is in the scene, if it still fits the layered photo."""
    modifier = relief_modifier(layer)
    image = None if modifier is None else compat.get_modifier_input(modifier, "Depth")
    if image is None or tuple(image.size) != layered.grid:
        return None
    return seen_depth(image)
