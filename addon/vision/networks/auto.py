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

from ...errors import InputError, UsageError
from ..files import shown
from ..layered import DepthKind
from . import Floats, Network, OutOfMemory, Prediction, hub_folder
from .devices import need, torch_device
from .hub_folder import HubFolder
from .inputs import prepare, unpadded
from .quiet import quiet
from .torch_device import find_device, within_memory

NEAREST_INVERSE, FARTHEST_INVERSE = 1e4, 1e-4  # 1/metres, between which Depth Pro's own code keeps its answer
_TRIAL_SIDE = 64


def load(source: Path, device: str) -> Network:
    """Load the network in the folder `source` (config.json, preprocessor_config.json, model.safetensors).

    device: "auto", "cpu", "cuda", "cuda:1", "mps". On cuda it computes in half precision where its family bears that, and
    goes back to single precision by itself if a result is not finite. Nothing is fetched and no code of the folder's runs.
    Raises InputError if the folder holds no network that can be used, UsageError if torch or transformers is missing or too
    old, DeviceError if there is no such device, OutOfMemory if the network does not fit.
    """
    folder = hub_folder.read(source)
    with quiet():
        torch, transformers, _ = need("torch"), need("transformers"), need("safetensors")
    where, name = find_device(torch_device(device) if device == "auto" else device)
    model = _model(folder, torch, transformers)
    half = where.type == "cuda" and folder.family.half
    with quiet():
        model = within_memory(lambda: model.to(device=where, dtype=torch.float16 if half else torch.float32).eval(), where)
    return HubNetwork(name, min(folder.recipe.size), folder.family.fixed, folder, model)


@dataclass
class HubNetwork:
    """A loaded network of transformers'; `networks.Network` says what it offers."""

    device: str
    side: int
    fixed: bool
    folder: HubFolder
    model: Any

    def predict(self, picture: Floats, side: int, focal: float | None) -> Prediction:
        """Run it; see `networks.Network`. Raises InputError if it gives no number at all, as damaged weights may."""
        recipe = self.folder.recipe
        depth, fov = within_memory(lambda: self._run(prepare(picture, recipe, min(recipe.size) if self.fixed else side)), self.model.device)
        if not np.isfinite(depth).any():
            raise InputError(f"{shown(self.folder.path)}: this network gives no depth at all; its weights may be damaged, copy them again.")
        if recipe.padded:
            depth = unpadded(depth, picture.shape)
        if self.folder.model_type == "depth_pro":
            return depth_pro(depth, fov, focal)
        return Prediction(depth, self.folder.kind)

    def _run(self, inputs: Floats) -> tuple[Floats, float | None]:
        """What the network says of one input (float32 3×h×w): float32 h×w as it comes, and degrees."""
        depth, fov = self._forward(inputs)
        if self.model.dtype.itemsize == 2 and not np.isfinite(depth).all():  # half precision has overflowed
            self.model.float()
            depth, fov = self._forward(inputs)
        return depth, fov

    def _forward(self, inputs: Floats) -> tuple[Floats, float | None]:
        import torch  # pyright: ignore[reportMissingImports]

        with torch.inference_mode(), quiet():
            pixels = torch.from_numpy(inputs)[None].to(device=self.model.device, dtype=self.model.dtype)
            try:
                outputs = self.model(pixel_values=pixels)
            except (IndexError, KeyError, TypeError, ValueError, AttributeError, ZeroDivisionError) as error:
                raise InputError(
                    f"{shown(self.folder.path)}: config.json describes no network that can run ({_reason(error)}); copy it again."
                ) from error
            depth = outputs.predicted_depth.float().cpu().numpy()
            fov = getattr(outputs, "field_of_view", None)
        return np.ascontiguousarray(depth.reshape(depth.shape[-2:])), None if fov is None else float(fov.reshape(-1)[0])


def depth_pro(canonical: Floats, fov: float | None, focal: float | None) -> Prediction:
    """Depth Pro's answer in metres.

    canonical: float32 h×w, inverse depth as it would be if the focal length were the picture's width. fov: the network's
    own estimate, in degrees. focal: as in `Network.predict`; it is believed before the estimate, and the answer's field of
    view is the one that its metres were made with. With neither the depth is known up to its scale. The formula is that of
    `post_process_depth_estimation` in models/depth_pro/image_processing_depth_pro.py of transformers 5.23.0.
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

    def build() -> Any:
        return transformers.AutoModelForDepthEstimation.from_pretrained(
            str(folder.path),
            config=mapping[folder.model_type].from_dict(folder.config),
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            output_loading_info=True,
        )

    try:
        with quiet(), _library_silent(transformers):
            model, told = within_memory(build, torch.device("cpu"))
    except OutOfMemory:
        raise
    except Exception as error:  # a config of someone else's can make the library raise anything
        raise InputError(f"{path}: transformers cannot load this network ({_reason(error)}); copy or download its files again.") from error
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
    network = HubNetwork("CPU", side, folder.family.fixed, folder, model)
    depth, fov = network._forward(prepare(np.full((side, side, 3), 0.5, np.float32), recipe, side))
    used = not np.isfinite(depth).all() or (fov is not None and not math.isfinite(fov))
    with torch.no_grad():
        for name in missing:
            own[name].zero_()
    return used


def _reason(error: Exception) -> str:
    return shown(" ".join(str(error).split())[:160]) or type(error).__name__


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
