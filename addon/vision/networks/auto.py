"""Networks that transformers' Auto classes know, from a folder in the hub's format on this disk.

Depth Anything V1 and V2 (relative and metric), DPT and MiDaS, ZoeDepth, Depth Pro, GLPN and TIPSv2. Their preprocessing is
our own (inputs.py), so that torchvision and Pillow are not needed. Their `predicted_depth` is taken as it is: the library's
post-processing enlarges it bicubically, which makes up depths in front of and behind every silhouette.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from ...errors import DeviceError, InputError, UsageError
from ..files import shown
from ..layered import DepthKind
from . import Floats, Network, OutOfMemory, Prediction, hub_folder
from .hub_folder import HubFolder
from .inputs import prepare, unpadded
from .torch_runtime import device_of, memory_told, need, quiet

NEAREST_INVERSE, FARTHEST_INVERSE = 1e4, 1e-4  # 1/metres, between which Depth Pro's own code keeps its answer
_TRIAL_SIDE = 64


def load(source: Path, device: str) -> Network:
    """Load the network in the folder `source` (config.json, preprocessor_config.json, model.safetensors).

    device: "auto", "cpu", "cuda", "cuda:N" or "mps". On cuda it computes in half precision where its family bears that, and
    goes back to single precision by itself if a result is not finite. Nothing is fetched and no code of the folder's runs.
    Raises InputError if the folder holds no network that can be used, UsageError if torch or transformers is missing or too
    old, DeviceError if the device is not there or too small.
    """
    folder = hub_folder.read(source)
    torch, transformers = need("torch", "transformers")
    where, name = device_of(torch, device)
    model = _model(folder, torch, transformers)
    half = where.type == "cuda" and folder.family.half
    try:
        with memory_told(torch), quiet():
            model = model.to(device=where, dtype=torch.float16 if half else torch.float32).eval()
    except OutOfMemory as error:
        raise DeviceError(
            f"{shown(folder.path)}: this network is too large for the memory of {name}; choose a smaller one, or another device."
        ) from error
    return HubNetwork(name, min(folder.recipe.size), folder.family.fixed, folder, model, torch)


@dataclass
class HubNetwork:
    """A loaded network of transformers'; `networks.Network` says what it offers. `predict` also raises InputError."""

    device: str
    side: int
    fixed: bool
    folder: HubFolder
    model: Any
    torch: ModuleType

    def predict(self, picture: Floats, side: int, focal: float | None) -> Prediction:
        """Run it; see `networks.Network`. Raises InputError if it gives no number at all, as damaged weights may."""
        recipe = self.folder.recipe
        with memory_told(self.torch):
            inputs = prepare(picture, recipe, min(recipe.size) if self.fixed else side)
            depth, fov = self._run(inputs)
            if not np.isfinite(depth).all() and next(self.model.parameters()).dtype == self.torch.float16:
                self.model.float()
                depth, fov = self._run(inputs)
        if not np.isfinite(depth).any():
            raise InputError(f"{shown(self.folder.path)}: this network gives no depth at all; its weights may be damaged, copy them again.")
        if recipe.padded:
            depth = unpadded(depth, picture.shape)
        if self.folder.model_type == "depth_pro":
            return depth_pro(depth, fov, focal)
        return Prediction(depth, self.folder.kind)

    def _run(self, inputs: Floats) -> tuple[Floats, float | None]:
        """What the network says of one input (float32 3×h×w): float32 h×w as it comes, and degrees."""
        torch, first = self.torch, next(self.model.parameters())
        with torch.inference_mode(), quiet():
            pixels = torch.from_numpy(inputs)[None].to(device=first.device, dtype=first.dtype)
            try:
                outputs = self.model(pixel_values=pixels)
            except (IndexError, KeyError, TypeError, ValueError, AttributeError, ZeroDivisionError) as error:
                reason = " ".join(str(error).split())[:160] or type(error).__name__
                raise InputError(
                    f"{shown(self.folder.path)}: config.json describes no network that can run ({reason}); copy it again."
                ) from error
            depth = outputs.predicted_depth.float().cpu().numpy()
            fov = getattr(outputs, "field_of_view", None)
        return np.ascontiguousarray(depth.reshape(depth.shape[-2:])), None if fov is None else float(fov.reshape(-1)[0])


def depth_pro(canonical: Floats, fov: float | None, focal: float | None) -> Prediction:
    """Depth Pro's answer in metres.

    canonical: float32 h×w, inverse depth as it would be if the focal length were the picture's width. fov: the network's
    own estimate, in degrees. focal: as in `Network.predict`; it is believed before the estimate, and the answer's field of
    view is the one that its metres were made with. With neither the depth is known up to its scale. The formula is that of
    `src/depth_pro/depth_pro.py` of apple/ml-depth-pro at 9efe5c1, and of transformers' DepthProImageProcessor.
    """
    if focal is None or not 0 < focal < math.inf:
        focal = 0.5 / math.tan(math.radians(fov) / 2) if fov is not None and 0 < fov < 180 else None
    depth = 1 / np.clip(canonical / np.float32(focal or 1.0), FARTHEST_INVERSE, NEAREST_INVERSE)
    if focal is None:
        return Prediction(depth.astype(np.float32), DepthKind.AFFINE_DEPTH)
    return Prediction(depth.astype(np.float32), DepthKind.METRIC_DEPTH, fov=math.degrees(2 * math.atan(0.5 / focal)))


# Loading ---------------------------------------------------------------------------------------------------------------


def _model(folder: HubFolder, torch: ModuleType, transformers: ModuleType) -> Any:
    """The module on the CPU, with every weight from the file. Raises InputError or UsageError."""
    path = shown(folder.path)
    mapping = transformers.CONFIG_MAPPING
    if folder.model_type not in mapping:
        raise UsageError(
            f"{path}: transformers {transformers.__version__} does not know {folder.family.name} yet; "
            "bring it up to date with python -m pip install --upgrade transformers."
        )
    try:
        with quiet(), _library_silent(transformers), memory_told(torch):
            config = mapping[folder.model_type].from_dict(folder.config)
            model, told = transformers.AutoModelForDepthEstimation.from_pretrained(
                str(folder.path),
                config=config,
                local_files_only=True,
                trust_remote_code=False,
                use_safetensors=True,
                output_loading_info=True,
            )
    except OutOfMemory as error:
        raise DeviceError(f"{path}: there is not enough memory to load this network; choose a smaller one.") from error
    except Exception as error:  # noqa: BLE001 - a config of someone else's can make the library raise anything
        reason = " ".join(str(error).split())[:160] or type(error).__name__
        raise InputError(f"{path}: transformers cannot load this network ({reason}); copy or download its files again.") from error
    if not all(bool(torch.isfinite(p).all()) for p in model.parameters()):
        raise InputError(f"{path}: the weights of this network are damaged (not all of them are numbers); copy or download them again.")
    missing = sorted({*told["missing_keys"], *(str(key) for key in told.get("mismatched_keys", ()))})
    if missing and _needed(model.float().eval(), missing, folder, torch):
        raise InputError(
            f"{path}: the weights do not belong to this config.json ({len(missing)} are missing, the first is {missing[0]}); "
            "copy both files from the same place."
        )
    return model


def _needed(model: Any, missing: list[str], folder: HubFolder, torch: ModuleType) -> bool:
    """Whether weights that the file lacks, which the library has filled at random, have a say in the result.

    Some published files lack weights that are never used (Intel/dpt-large: the first fusion layer's residual unit). A NaN
    in them tells: it reaches the result if anything does.
    """
    own = dict(model.named_parameters())
    if any(name not in own for name in missing):
        return True
    with torch.no_grad():
        for name in missing:
            own[name].fill_(math.nan)
    recipe = folder.recipe
    side = min(recipe.size) if folder.family.fixed or folder.family.square else max(_TRIAL_SIDE, recipe.multiple)
    network = HubNetwork("CPU", side, folder.family.fixed, folder, model, torch)
    depth, fov = network._run(prepare(np.full((side, side, 3), 0.5, np.float32), recipe, side))
    used = not np.isfinite(depth).all() or (fov is not None and not math.isfinite(fov))
    with torch.no_grad():
        for name in missing:
            own[name].zero_()
    return used


@contextlib.contextmanager
def _library_silent(transformers: ModuleType) -> Iterator[None]:
    """No progress bars and reports of transformers', whose settings are as before afterwards."""
    logs = transformers.utils.logging
    level, bars = logs.get_verbosity(), logs.is_progress_bar_enabled()
    logs.set_verbosity_error()
    logs.disable_progress_bar()
    try:
        yield
    finally:
        logs.set_verbosity(level)
        if bars:
            logs.enable_progress_bar()
