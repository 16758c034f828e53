"""MoGe-2 on one picture: depth in metres, field of view, normals and sky in one pass.

Wang et al. 2025, "MoGe-2: Accurate Monocular Geometry with Metric Scale and Sharp Details" (arXiv 2507.02546), in all its
sizes (Small, Base and Large, with and without normals), and networks of others that are trained further from it and saved in
the same way. What is done with what the network gives is that of `infer` in moge/model/v2.py of github.com/microsoft/MoGe
at commit 07444410f1e33f402353b99d6ccd26bd31e469e8.
"""

from __future__ import annotations

import math
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError, UsageError
from ..files import shown
from ..layered import DepthKind
from . import Prediction
from .focal import find_camera
from .moge_config import MogeConfig, read_config
from .torch_device import find_device, within_memory

if TYPE_CHECKING:
    import torch  # pyright: ignore[reportMissingImports]

    from .moge_net import MogeNet

Floats = NDArray[np.float32]

WEIGHTS = "model.pt"
PATCH = 14
NAME = "MoGe-2"

_VALID = 0.5  # share; below, upstream takes a pixel for the sky or for infinitely far


class Maps(NamedTuple):
    """What the network says, float32: points h×w×3 whose z lacks a constant, mask and scale as shares and factor."""

    points: Floats
    mask: Floats | None
    normal: Floats | None
    scale: float | None


class Moge:
    """A loaded network; see `Network` in this folder's `__init__.py`."""

    fixed = False

    def __init__(self, net: MogeNet, config: MogeConfig, place: torch.device, shown_device: str) -> None:
        self.device = shown_device
        self.config = config
        # The side of a square of the most patches; upstream takes the most as well, whatever the picture's shape.
        self.side = round(PATCH * math.sqrt(config.tokens[1]))
        self._net = net
        self._place = place

    def predict(self, picture: Floats, side: int, focal: float | None) -> Prediction:
        """Run it on one picture, float32 H×W×3 R'G'B' in [0, 1].

        side: wished length in pixels of the input's shorter side; it is kept to the network's range of patches, for MoGe-2
        that of squares of 485 to 840 pixels. focal: focal length in shares of the picture's width; where it is known the
        shift of the points is fitted to it, otherwise both are found together.

        The values are z in metres; +inf where the mask says that nothing is near enough to have a distance, of which `sky` is
        the share; NaN where a point comes to lie behind the camera. Without a scale head they are AFFINE_DEPTH. Where no
        camera fits the points, `fov` is None and the shift that of a common lens. Normals are unit vectors everywhere, though
        they mean nothing in the sky. Raises OutOfMemory where this input is too large for the device.
        """
        height, width = picture.shape[:2]
        patches = grid(tokens(side, width / height, self.config.tokens), width / height)
        return prediction(within_memory(lambda: self._run(picture, patches), self._place), width / height, focal)

    def _run(self, picture: Floats, patches: tuple[int, int]) -> Maps:
        """Run the network on `patches` (rows, columns) of 14 by 14 pixels."""
        import torch  # pyright: ignore[reportMissingImports]
        from torch.nn import functional as F  # pyright: ignore[reportMissingImports]

        from .moge_net import remap

        size = (patches[0] * PATCH, patches[1] * PATCH)
        image = torch.from_numpy(np.ascontiguousarray(picture, dtype=np.float32)).permute(2, 0, 1)[None]
        half = torch.autocast("cuda", dtype=torch.float16) if self._place.type == "cuda" else nullcontext()
        with torch.inference_mode():
            # Before it goes to the device: a photo of 48 megapixels would take half a gigabyte there.
            image = F.interpolate(image, size, mode="bilinear", align_corners=False, antialias=True).to(self._place)
            with half:
                raw = self._net(image, picture.shape[1] / picture.shape[0])
            points = remap(raw.points, self.config.remap)[0].permute(1, 2, 0)
            mask = None if raw.mask is None else raw.mask[0, 0].sigmoid()
            normal = None if raw.normal is None else F.normalize(raw.normal[0].permute(1, 2, 0), dim=-1)
            scale = None if raw.scale is None else float(raw.scale[0].exp())
            points, mask, normal = (None if m is None else m.contiguous().cpu().numpy() for m in (points, mask, normal))
        assert points is not None
        return Maps(points, mask, normal, scale)


def load(source: Path, device: str) -> Moge:
    """Load a network from its weight file, or from a folder with `model.pt`.

    device: "cpu", "cuda", "cuda:1", "mps". On a CUDA card it computes in half precision where that does no harm, elsewhere in
    float32. Raises InputError with one sentence that names the file if it is missing, damaged or of another network,
    DeviceError if there is no such device, UsageError if this Python has no torch, OutOfMemory if the network does not fit.
    """
    path = source / WEIGHTS if source.is_dir() else source
    try:
        import torch  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise UsageError(f"{NAME} cannot be run by this Python ({error}); choose one that has the package torch.") from error
    from .moge_net import MogeNet
    from .torch_file import load_weights, read_torch_file

    place, shown_device = find_device(device)
    content = read_torch_file(path)
    if not isinstance(content, dict) or not {"model", "model_config"} <= content.keys():
        raise InputError(f"{shown(path)}: this is not the weight file of a {NAME}; get the file {WEIGHTS} of one.")
    config = read_config(content["model_config"], shown(path))
    with torch.device("meta"):  # nothing is allocated before the file is found to hold it
        net = MogeNet(config)

    def fill() -> MogeNet:
        load_weights(net, content["model"], path, NAME)
        return net.eval().requires_grad_(False).to(place)

    return Moge(within_memory(fill, place), config, place, shown_device)


def tokens(side: int, aspect: float, limits: tuple[int, int]) -> int:
    """How many patches a picture of width by height `aspect` is cut into if its shorter side has `side` pixels."""
    wished = (side / PATCH) ** 2 * max(aspect, 1 / aspect)
    return round(min(max(wished, limits[0]), limits[1]))


def grid(count: int, aspect: float) -> tuple[int, int]:
    """Rows and columns of about `count` patches that are about square in a picture of that aspect."""
    return max(1, round(math.sqrt(count / aspect))), max(1, round(math.sqrt(count * aspect)))


def prediction(maps: Maps, aspect: float, focal: float | None) -> Prediction:
    """Put what the network says into our terms, as `Moge.predict` describes them.

    aspect: width by height of the picture. focal: its focal length in shares of its width if known.
    """
    near = sky = None
    if maps.mask is not None:
        near = ~(maps.mask <= _VALID)  # what is no number is no sky
        sky = np.nan_to_num(1 - maps.mask)
    camera = find_camera(maps.points, near, aspect, focal)
    z = maps.points[..., 2] + np.float32(camera.shift)
    with np.errstate(invalid="ignore", over="ignore"):
        values = z * np.float32(1.0 if maps.scale is None else maps.scale)
        values[~(np.isfinite(values) & (z > 0))] = np.nan
    if near is not None:
        values[~near] = np.inf
    kind = DepthKind.AFFINE_DEPTH if maps.scale is None else DepthKind.METRIC_DEPTH
    fov = None if camera.focal is None else math.degrees(2 * math.atan(0.5 / camera.focal))
    return Prediction(values, kind, fov=fov, normals=maps.normal, sky=sky)
