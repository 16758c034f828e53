"""The large depth networks: those of the list, and files and folders of the user's own."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...errors import UsageError
from ...spec import DepthSpec, MachineSpec
from ..cv import cv
from ..layered import DepthMap
from ..layering import grid_size, photo_colour
from ..networks import Prediction, loaded, predicting, store
from ..networks.catalogue import Model, catalogue
from ..photo import Photo
from ..resample import resample
from ..sharpen import upsample_prediction, upsample_sky
from . import Progress

Bytes = NDArray[np.uint8]

log = logging.getLogger(__name__)

SEEN = 4_000_000  # pixels of the photo that a network and the edge stage see at most
_SKY = 0.5  # share of sky from which a pixel is sky


class NetworkDepth:
    """One network, as a depth source."""

    def __init__(self, model: Model | None = None, source: Path | None = None) -> None:
        """model: one of the list; source: a file or folder of the user's own instead; neither: settings.network."""
        self.model, self.source = model, source
        self.name = model.name if model is not None else "network"
        self.label = model.label if model is not None else "Own Network"
        self.help = model.help if model is not None else "A depth network of your own: the file or folder under Network"

    def estimate(self, photo: Photo, settings: DepthSpec, progress: Progress, machine: MachineSpec | None = None) -> DepthMap:
        """Return the depth of `photo` at the photo's size. Raises a StillscapeError that says what to do."""
        machine = machine or MachineSpec()
        backend, source = self._located(settings, machine, progress)
        if not loaded.is_loaded(backend, source):
            progress(0.4, f"Loading {self.label if self.model else source.name}")
        network = loaded.load(backend, source, machine.network_device)
        progress(0.5, f"Estimating depth on {network.device}")
        colour = photo_colour(photo, grid_size(photo.size, SEEN))
        prediction = predicting.predict(
            network,
            (colour / np.float32(255)).astype(np.float32),
            side=settings.network_size or (self.model.side if self.model is not None else None),
            focal=None if photo.fov is None else 0.5 / float(np.tan(np.radians(photo.fov) / 2)),
            flip=settings.flip,
            tiles=settings.tiles,
            progress=lambda share, text: progress(0.5 + 0.4 * share, f"{text} on {network.device}"),
        )
        progress(0.9, "Sharpening the edges" if settings.sharpen else "Fitting the depth to the photo")
        return depth_map(prediction, photo, colour, self.name if self.model else source.name, sharpen=settings.sharpen)

    def _located(self, settings: DepthSpec, machine: MachineSpec, progress: Progress) -> tuple[str, Path]:
        """(back-end, file or folder), downloaded if it must be."""
        if self.model is None:
            source = self.source or (Path(settings.network) if settings.network else None)
            if source is None:
                raise UsageError("The depth source 'network' needs a network of your own; name its file or folder with --network.")
            return loaded.tell_backend(source)
        folder = store.models_folder(machine.models)
        if store.find(self.model, folder) is None:
            progress(0.0, f"Downloading {store.describe(self.model)}")
            if not self.model.commercial:
                log.warning("Downloading %s", store.describe(self.model))
        found = store.download(self.model, folder, lambda share, text: progress(0.4 * share, text), offline=machine.offline)
        return self.model.backend, found


def depth_map(prediction: Prediction, photo: Photo, colour: Bytes, made_by: str, *, sharpen: bool) -> DepthMap:
    """A network's prediction as a depth map of the photo's size.

    colour: uint8 H×W×3 sRGB, the photo as the network saw it, whose edges the depth's are made to follow.
    """
    height, width = colour.shape[:2]
    sky = None
    if sharpen:
        above = None if prediction.sky is None else upsample_sky(prediction.sky, colour)
        fitted = upsample_prediction(prediction.values, prediction.kind, above, prediction.confidence, colour, photo.size, prediction.edges)
        if above is not None:
            sky = cv().resize(above.astype(np.uint8), photo.size, interpolation=cv().INTER_NEAREST_EXACT) > 0
    else:
        fitted = resample(prediction.values, photo.size, depth=prediction.kind.is_depth)
        if prediction.sky is not None:
            sky = _enlarged(prediction.sky, photo.size) > _SKY
    normals = None if prediction.normals is None else _enlarged(prediction.normals, (width, height))
    confidence = None if prediction.confidence is None else _enlarged(prediction.confidence, photo.size)
    if sky is not None and prediction.kind.is_depth:  # what a network left without a distance is sky as well
        sky |= np.isposinf(fitted)
    return DepthMap(fitted, prediction.kind, made_by, fov=prediction.fov, sky=sky, confidence=confidence, normals=normals)


def _enlarged(values: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    return cv().resize(values, size, interpolation=cv().INTER_LINEAR)


def networks() -> dict[str, NetworkDepth]:
    """All depth sources that are networks, by name."""
    listed = {name: NetworkDepth(model) for name, model in catalogue().items()}
    return {**listed, "network": NetworkDepth()}


ESTIMATORS = tuple(networks().values())
