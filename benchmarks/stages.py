"""Seconds and peak memory of every stage from a photo to a layered photo, for 2, 12 and 48 megapixels.

    .venv-networks/bin/python benchmarks/stages.py

The photo is that of layering.py. The network is Depth Anything V2 Small with random weights, which take as long as the
real ones, in the format of the hub; what it says is then replaced by the measured disparity, softened to the network's
size, so that the later stages have real edges to work on. Each size is a process of its own; memory is the peak of that
process up to the end of the stage. In a Python without torch the network's row is left out.
"""

from __future__ import annotations

import importlib.util
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from addon.spec import SceneSpec  # noqa: E402
from addon.vision.depth.network import depth_map  # noqa: E402
from addon.vision.distances import to_metres  # noqa: E402
from addon.vision.layered import DepthKind, TextureKey, to_disparity  # noqa: E402
from addon.vision.layering import find_sky, grid_size, make_layers, photo_colour  # noqa: E402
from addon.vision.networks import Prediction, loaded, predicting  # noqa: E402
from addon.vision.photo import read_photo  # noqa: E402
from addon.vision.texture import encode_texture  # noqa: E402

CONES = ROOT.parent / "shared" / "data" / "depth-dev" / "cones"
MEGAPIXELS = (2, 12, 48)
SEEN = 4_000_000


def random_small(folder: Path) -> None:
    """Depth Anything V2 Small, untrained."""
    import json

    import transformers

    backbone = transformers.Dinov2Config(
        image_size=518, patch_size=14, hidden_size=384, num_hidden_layers=12, num_attention_heads=6, mlp_ratio=4,
        out_indices=[3, 6, 9, 12], reshape_hidden_states=False,
    )  # fmt: skip
    config = transformers.DepthAnythingConfig(
        backbone_config=backbone,
        reassemble_hidden_size=384,
        neck_hidden_sizes=[48, 96, 192, 384],
        fusion_hidden_size=64,
        head_hidden_size=32,
    )
    network = transformers.DepthAnythingForDepthEstimation(config)
    network.head.conv3.bias.data += 1
    network.save_pretrained(folder)
    preprocessor = {"image_processor_type": "DPTImageProcessor", "size": {"height": 518, "width": 518}, "keep_aspect_ratio": True}
    preprocessor |= {"ensure_multiple_of": 14, "resample": 3, "do_resize": True, "do_rescale": True, "do_normalize": True}
    preprocessor |= {"rescale_factor": 1 / 255, "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}
    (folder / "preprocessor_config.json").write_text(json.dumps(preprocessor))


def measure(path: Path, network: Path | None) -> list[tuple[str, float, float]]:
    """(stage, seconds, peak memory in GB at its end) of one photo."""
    rows: list[tuple[str, float, float]] = []
    started = time.monotonic()

    def done(stage: str) -> None:
        nonlocal started
        rows.append((stage, time.monotonic() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20))
        started = time.monotonic()

    def silent(share: float, text: str) -> None:
        del share, text

    spec = SceneSpec()
    photo = read_photo(path)
    done("read the photo")
    colour = photo_colour(photo, grid_size(photo.size, SEEN))
    done("make it small")
    if network is not None:
        loaded_network = loaded.load("auto", network, "cpu")
        done("load Depth Anything V2 Small")
        picture = (colour / np.float32(255)).astype(np.float32)
        predicting.predict(loaded_network, picture, side=518, focal=None, flip=False, tiles=False, progress=silent)
        done("run it at 518 pixels")
    truth = cv2.imread(str(CONES / "disp_left.tif"), cv2.IMREAD_UNCHANGED).astype(np.float32)
    truth = np.where(np.isfinite(truth) & (truth > 0), truth, 0)
    soft = cv2.resize(cv2.GaussianBlur(cv2.resize(truth, (160, 133), interpolation=cv2.INTER_AREA), (0, 0), 0.7), (622, 518))
    started = time.monotonic()
    depth = depth_map(Prediction(soft, DepthKind.AFFINE_DISPARITY), photo, colour, "benchmark", sharpen=True)
    done("sharpen the edges")
    depth = to_metres(depth, spec.depth, photo.fov)
    disparity = to_disparity(depth)
    done("find distances")
    layering = make_layers(photo, disparity.d, find_sky(depth), spec, silent)
    done(f"layers and fill ({len(layering.layers)} layers)")
    width, height = photo.size
    encode_texture(photo, TextureKey(min(width, 1920), min(height, 1600), 1.2))
    done("film texture for 1920 pixels")
    return rows


def large_photo(path: Path, megapixels: float) -> None:
    """Write Cones, enlarged and with noise, which is what makes a large photo slow."""
    width = round((megapixels * 1e6 * 1.2) ** 0.5)
    large = cv2.resize(cv2.imread(str(CONES / "left.png")), (width, round(width / 1.2)), interpolation=cv2.INTER_CUBIC)
    noise = np.random.default_rng(0).normal(0, 4, large.shape).astype(np.float32)
    cv2.imwrite(str(path), np.clip(large + noise, 0, 255).astype(np.uint8))


def main() -> None:
    if len(sys.argv) > 2:
        for stage, seconds, peak in measure(Path(sys.argv[1]), Path(sys.argv[2]) if sys.argv[2] != "-" else None):
            print(f"{stage}\t{seconds:.2f}\t{peak:.2f}")
        return
    with tempfile.TemporaryDirectory() as place:
        network = Path(place) / "small"
        if importlib.util.find_spec("torch"):
            random_small(network)
        table: dict[str, list[str]] = {}
        for megapixels in MEGAPIXELS:
            path = Path(place) / "large.jpg"
            large_photo(path, megapixels)
            command = [sys.executable, __file__, str(path), str(network) if network.exists() else "-"]
            said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            for line in said.splitlines():
                stage, seconds, peak = line.split("\t")
                table.setdefault(stage.split(" (")[0], []).append(f"{float(seconds):.1f} s, {peak} GB")
    print(f"| stage | {' | '.join(f'{m} MP' for m in MEGAPIXELS)} |\n|---|{'---|' * len(MEGAPIXELS)}")
    for stage, cells in table.items():
        print(f"| {stage} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
