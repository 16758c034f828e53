"""Turn Depth Anything into an .onnx file that OpenCV runs: inside Blender, without torch.

    python -m scripts.export_onnx FOLDER FILE.onnx [HEIGHT WIDTH]

FOLDER is in the hub's format (config.json, preprocessor_config.json, model.safetensors). HEIGHT and WIDTH, multiples of 14,
are the size of every input from then on (518 686 if not given, for photos of 4:3). Beside the network FILE.json is written,
which says how pictures are to be prepared. At the end the file is run by OpenCV and by torch on the same input. Needs torch,
transformers, safetensors, onnx and opencv-python-headless; to be started in the folder that holds `addon` and `scripts`.

OpenCV 4.11 cannot resize bicubically, which every export of this network does with its position embeddings, at any size.
Here they are computed once, for the one size, and stand in the file as they are; and attention is written out as products
and a softmax.
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from pathlib import Path


def export(folder: Path, target: Path, height: int, width: int) -> float:
    """Write `target` and the JSON file beside it, and return by how much OpenCV's answer differs from torch's at most, as a
    share of its range.

    Raises StillscapeError for a folder that cannot be used, ValueError for another kind of network or size, or if OpenCV
    cannot run the result.
    """
    import numpy as np
    import torch

    from addon.vision.cv import cv
    from addon.vision.networks import auto

    network = auto.load(folder, "cpu")
    found = network.folder
    embeddings = getattr(getattr(network.model, "backbone", None), "embeddings", None)
    if found.model_type != "depth_anything" or not hasattr(embeddings, "interpolate_pos_encoding"):
        raise ValueError(f"{folder}: this is {found.family.name}; only Depth Anything can be written as a file that OpenCV runs.")
    patch = embeddings.patch_embeddings.patch_size[0]
    if min(height, width) < patch or height % patch or width % patch:
        raise ValueError(f"{height} by {width}: both must be multiples of {patch}.")
    network.model.set_attn_implementation("eager")

    class Depth(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network.model

        def forward(self, pixel_values: torch.Tensor) -> torch.Tensor:
            return self.network(pixel_values=pixel_values).predicted_depth

    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tokens = torch.zeros(1, 1 + (height // patch) * (width // patch), embeddings.position_embeddings.shape[-1])
        positions = embeddings.interpolate_pos_encoding(tokens, height, width).clone()
        embeddings.interpolate_pos_encoding = lambda *_: positions
        torch.onnx.export(
            Depth().eval(),
            (torch.zeros(1, 3, height, width),),
            str(target),
            opset_version=17,
            dynamo=False,
            input_names=["pixel_values"],
            output_names=["predicted_depth"],
        )
    recipe = found.recipe
    said = {"mean": [m / recipe.scale for m in recipe.mean], "std": [s / recipe.scale for s in recipe.std], "kind": found.kind.value}
    target.with_suffix(".json").write_text(json.dumps(said, indent=2) + "\n", encoding="utf-8")
    given = np.random.default_rng(0).standard_normal((1, 3, height, width)).astype(np.float32)
    with torch.no_grad():
        expected = network.model(pixel_values=torch.from_numpy(given)).predicted_depth[0].numpy()
    try:
        opened = cv().dnn.readNetFromONNX(str(target))
        opened.setInput(given)
        answer = opened.forward()[0]
    except cv().error as error:
        raise ValueError(f"{target}: it was written, but OpenCV cannot run it ({error}).") from error
    return float(np.abs(answer - expected).max() / max(float(np.ptp(expected)), 1e-9))


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("file", type=Path)
    parser.add_argument("height", type=int, nargs="?", default=518)
    parser.add_argument("width", type=int, nargs="?", default=686)
    arguments = parser.parse_args()
    from addon.errors import StillscapeError

    try:
        difference = export(arguments.folder, arguments.file, arguments.height, arguments.width)
    except (StillscapeError, ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return getattr(error, "exit_code", 2)
    print(f"{arguments.file}: OpenCV's answer differs from torch's by {difference:.1e} of its range at most.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
