"""Depth Anything 3 on one picture: DA3MONO-LARGE, DA3METRIC-LARGE, DA3-SMALL, DA3-BASE (and DA3-LARGE).

Lin et al., "Depth Anything 3: Recovering the Visual Space from Any Views", arXiv 2511.10647; after
ByteDance-Seed/Depth-Anything-3 at commit 2c21ea849ceec7b469a3e62ea0c0e270afc3281a (Apache-2.0). What the numbers mean:

- SMALL, BASE, LARGE: z up to a scale; they are trained with one common scale of depth and rays. With them come a
  confidence and the field of view that the camera decoder reads off.
- MONO: trained on the relative depth of a teacher whose loss forgives scale and shift. Upstream uses its output as z up to
  a scale, and so does this; a shift may remain that nothing in a single picture tells.
- METRIC: z in metres of a camera with a focal length of 300 pixels, to be multiplied by the true one and divided by 300.

MONO and METRIC also find the sky.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...errors import DeviceError, InputError, UsageError
from ..cv import cv
from ..files import shown
from ..layered import DepthKind
from . import OutOfMemory, Prediction
from .depth_anything_3_config import PATCH, Architecture, read_architecture

if TYPE_CHECKING:
    import torch  # pyright: ignore[reportMissingImports]

    from .depth_anything_3_net import DepthAnything3Net

Floats = NDArray[np.float32]

SIDE = 504
"""The side of most of the squares that they were trained on; the longer sides of other pictures went up to 896."""
WEIGHTS, CONFIGURATION = "model.safetensors", "config.json"

_PREFIX = "model."  # upstream saves a wrapper that holds the network under this name
_MEAN, _DEVIATION = np.array([0.485, 0.456, 0.406], np.float32), np.array([0.229, 0.224, 0.225], np.float32)
_CANONICAL_FOCAL = 300.0  # pixels
_USUAL_FOV = 50.0  # degrees, horizontal; where metres are wanted and nobody knows the focal length
_SKY = 0.3  # upstream's compute_sky_mask
_FEW = 10  # pixels; upstream changes nothing where less is sky, or less is not
_DEVICES = {"cpu": "CPU", "cuda": "", "mps": "Apple GPU", "xpu": "Intel GPU"}
# The last is all that oneDNN says of it.
_NO_MEMORY = ("out of memory", "not enough memory", "can't allocate memory", "ALLOC_FAILED", "could not create a primitive")
_FOV_RANGE = (5.0, 160.0)  # degrees; what the decoder says beyond is no camera


class Raw(NamedTuple):
    """What the network gives for one picture, before it is put into our terms; float32 h×w each, fov in degrees."""

    depth: Floats
    confidence: Floats | None = None
    sky: Floats | None = None
    fov: float | None = None


class DepthAnything3:
    """A loaded network; see `Network` in this folder's `__init__.py`."""

    side = SIDE
    fixed = False

    def __init__(self, net: DepthAnything3Net, architecture: Architecture, device: torch.device, shown_device: str) -> None:
        self.device = shown_device
        self.architecture = architecture
        self._net = net
        self._place = device

    def predict(self, picture: Floats, side: int, focal: float | None) -> Prediction:
        """Run it on one picture, float32 H×W×3 R'G'B' in [0, 1].

        side: wished length of the shorter side in pixels. focal: focal length in shares of the picture's width; only METRIC
        needs it, and takes a horizontal field of view of 50 degrees where it is None.
        The values are z, +inf in the sky. Raises OutOfMemory where this input is too large for the device.
        """
        try:
            raw = self._run(prepared(picture, side))
        except Exception as error:
            if not _lacks_memory(error):
                raise
            lack = str(error)
        else:
            return self._worded(raw, picture.shape[:2], focal)
        # Out here the failed run's tensors are gone, so that a smaller one finds the room that they took.
        if self._place.type == "cuda":
            import torch  # pyright: ignore[reportMissingImports]

            torch.cuda.empty_cache()
        raise OutOfMemory(lack)

    def _run(self, image: Floats) -> Raw:
        import torch  # pyright: ignore[reportMissingImports]

        with torch.inference_mode():
            answer = self._net(torch.from_numpy(image)[None].to(self._place), half_type(self._place))
            depth, confidence, sky = (None if a is None else a[0].float().cpu().numpy() for a in answer.dense)
            fov = None if answer.fov is None else math.degrees(float(answer.fov[0, 1]))
        assert depth is not None  # every head gives it
        return Raw(depth, confidence, sky, fov)

    def _worded(self, raw: Raw, size: tuple[int, ...], focal: float | None) -> Prediction:
        scale = 1.0
        if self.architecture.metric:
            scale = focal_pixels(focal, (size[0], size[1]), raw.depth.shape) / _CANONICAL_FOCAL
        return prediction(raw, DepthKind.METRIC_DEPTH if self.architecture.metric else DepthKind.AFFINE_DEPTH, scale)


def load(source: Path, device: str) -> DepthAnything3:
    """Load a network from a folder with `config.json` and `model.safetensors`, or from a .safetensors file beside a config.json.

    device: "cpu", "cuda", "cuda:1", "mps". On a graphics card the transformer computes in bfloat16, or in float16 where the
    card has no bfloat16, and the head in float32, as upstream's API does; elsewhere all in float32.
    Raises InputError with one sentence that names the file if the files are missing, damaged or of another network,
    DeviceError if there is no such device, UsageError if the environment lacks a package, OutOfMemory if the network does not
    fit on the device.
    """
    weights, configuration = files_of(Path(source))
    architecture = read_architecture(configuration)
    try:
        import torch  # pyright: ignore[reportMissingImports]

        from .depth_anything_3_net import UNUSED, DepthAnything3Net
        from .safetensors_file import read_weights
    except ImportError as error:
        raise UsageError(
            f"Depth Anything 3 cannot be run by this Python ({error}); choose one that has the packages torch and safetensors."
        ) from error
    place, shown_device = find_device(device)
    with torch.device("meta"):  # nothing is allocated before the file is found to hold it
        net = DepthAnything3Net(architecture)
    shapes = {name: tuple(tensor.shape) for name, tensor in net.state_dict().items()}
    net.load_state_dict(read_weights(weights, shapes, what=architecture.name, prefix=_PREFIX, unused=UNUSED), assign=True)
    try:
        net = net.eval().requires_grad_(False).to(place)
    except RuntimeError as error:
        if _lacks_memory(error):
            raise OutOfMemory(str(error)) from error
        raise
    return DepthAnything3(net, architecture, place, shown_device)


def files_of(source: Path) -> tuple[Path, Path]:
    """The weights and the configuration that `source` stands for. Raises InputError if there is no such thing."""
    if source.is_dir():
        weights, configuration = source / WEIGHTS, source / CONFIGURATION
    elif not source.exists():
        raise InputError(f"{shown(source)}: there is no such file or folder; check the name.")
    elif source.suffix.lower() != ".safetensors":
        raise InputError(f"{shown(source)}: Depth Anything 3 is read from a folder with {CONFIGURATION} and {WEIGHTS}; choose that folder.")
    else:
        weights, configuration = source, source.parent / CONFIGURATION
    if not configuration.is_file():
        raise InputError(f"{shown(configuration)}: there is no such file; download it to there from where the weights came.")
    return weights, configuration


def find_device(name: str) -> tuple[torch.device, str]:
    """torch's device of that name, and what people call it. Raises DeviceError if it is not there."""
    import torch  # pyright: ignore[reportMissingImports]

    try:
        device = torch.device(name)
        if device.type not in _DEVICES:
            raise ValueError(f"it is none of {', '.join(_DEVICES)}")
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, ValueError, NotImplementedError) as error:
        reason = str(error).partition("\n")[0]
        raise DeviceError(f"The device {shown(name)} cannot be used by PyTorch here ({reason}); choose another or cpu.") from error
    if device.type == "cuda":
        return device, torch.cuda.get_device_name(device)
    return device, _DEVICES[device.type]


def half_type(device: torch.device) -> torch.dtype | None:
    """The half precision that the transformer computes in on `device`; None for float32."""
    import torch  # pyright: ignore[reportMissingImports]

    if device.type != "cuda":
        return None
    return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16


def prepared(picture: Floats, side: int) -> Floats:
    """Make the network's input of a picture, float32 H×W×3 in [0, 1]: float32 3×h×w, contiguous, in ImageNet's normal form.

    The shorter side comes to `side`, then both to the nearest multiple of 14 (halves upwards), in two steps and with the
    filters of upstream's utils/io/input_processor.py ("lower_bound_resize"); what it rounds to 8 bits in between stays float.
    """
    height, width = picture.shape[:2]
    scale = max(side, PATCH) / min(height, width)
    image = np.ascontiguousarray(picture, dtype=np.float32)
    image = _resized(image, (max(1, round(width * scale)), max(1, round(height * scale))), enlarge=scale > 1)
    height, width = image.shape[:2]
    size = nearest_multiple(width), nearest_multiple(height)
    image = _resized(image, size, enlarge=size[0] > width or size[1] > height)
    image = (image - _MEAN) / _DEVIATION
    return np.ascontiguousarray(image.transpose(2, 0, 1), dtype=np.float32)


def nearest_multiple(length: int) -> int:
    """The multiple of 14 that is nearest to `length`, at least 14; of two that are equally near, the larger."""
    return max(PATCH, (2 * length + PATCH) // (2 * PATCH) * PATCH)


def _resized(image: Floats, size: tuple[int, int], *, enlarge: bool) -> Floats:
    """`image` at `size` (width, height), in [0, 1] as it was, which bicubic filtering would leave."""
    if image.shape[:2] == (size[1], size[0]):
        return image
    cv2: Any = cv()
    return np.clip(cv2.resize(image, size, interpolation=cv2.INTER_CUBIC if enlarge else cv2.INTER_AREA), 0, 1)


def focal_pixels(focal: float | None, size: tuple[int, int], shape: tuple[int, ...]) -> float:
    """The focal length in pixels of the network's input, the mean over width and height.

    focal: in shares of the picture's width, None if unknown. size: (H, W) of the picture. shape: (h, w) of the input.
    """
    share = 0.5 / math.tan(math.radians(_USUAL_FOV) / 2) if focal is None else focal
    across = share * shape[1]
    down = share * size[1] * shape[0] / size[0]
    return (across + down) / 2


def prediction(raw: Raw, kind: DepthKind, scale: float) -> Prediction:
    """Put what the network gives into our terms; `scale` multiplies its depth.

    The sky, where its head says 0.3 or more, becomes +inf, unless only some pixels are sky or all but some; upstream's
    `_process_mono_sky_estimation` puts the farthest depth there instead. Its share is the head's output cut to [0, 1].
    A confidence c above 1 becomes 1 - 1/c in (0, 1). Depth that is no number becomes NaN.
    """
    values = np.where(np.isfinite(raw.depth), raw.depth * np.float32(scale), np.float32(np.nan))
    sky = confidence = None
    if raw.sky is not None:
        sky = np.clip(np.nan_to_num(raw.sky), 0, 1)
        there = sky >= _SKY
        if min(np.count_nonzero(there), np.count_nonzero(~there)) > _FEW:
            values[there] = np.inf
    if raw.confidence is not None:
        confidence = np.clip(np.nan_to_num(1 - 1 / raw.confidence), 0, 1).astype(np.float32)
    fov = raw.fov if raw.fov is not None and _FOV_RANGE[0] <= raw.fov <= _FOV_RANGE[1] else None
    return Prediction(values, kind, fov=fov, sky=sky, confidence=confidence)


def _lacks_memory(error: Exception) -> bool:
    """Whether an exception of torch, OpenCV or numpy says that memory ran out."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    if getattr(error, "code", None) == -4:  # OpenCV's StsNoMem
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in _NO_MEMORY)
