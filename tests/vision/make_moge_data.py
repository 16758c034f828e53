"""Makes data/moge.npz: what upstream's own code gives for the networks and pictures of moge_model.py. Not a part of the tests.

    PYTHONPATH=MOGE:UTILS3D:. python tests/vision/make_moge_data.py

MOGE: a checkout of github.com/microsoft/MoGe at 07444410f1e33f402353b99d6ccd26bd31e469e8. UTILS3D: one of
github.com/EasternJournalist/utils3d at 3fab839f0be9931dac7c8488eb0e1600c236e183. Also wanted: torch, scipy,
huggingface_hub and no xformers. The file was made with torch 2.13.0 (CPU) and scipy 1.13.1.

Kept are, at every seventh pixel: of `forward` the points, mask and normals, and the metric scale; of `infer` the depth and
the focal length in shares of the width.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch  # pyright: ignore[reportMissingImports]
from moge.model.v2 import MoGeModel  # pyright: ignore[reportMissingImports]

from tests.vision.moge_model import CAMERA_CASES, ODD, PLAIN, RAW_CASES, STRIDE, Case, picture, weights


def built(config: dict) -> MoGeModel:
    net = MoGeModel(**config).eval()
    made = weights({key: tuple(tensor.shape) for key, tensor in net.state_dict().items()})
    net.load_state_dict({key: torch.from_numpy(value) for key, value in made.items()}, strict=True)
    return net


def image(case: Case) -> torch.Tensor:
    return torch.from_numpy(picture(case.width, case.height)).permute(2, 0, 1)


def main() -> None:
    nets, kept = {"plain": built(PLAIN), "odd": built(ODD)}, {}
    for which, cases in RAW_CASES.items():
        for case in cases:
            with torch.inference_mode():
                output = nets[which].forward(image(case)[None], case.tokens)
            for key, value in output.items():
                value = value[0].numpy()
                kept[f"{which}/{case.name}/{key}"] = value[::STRIDE, ::STRIDE] if value.ndim else value
    for case in CAMERA_CASES:
        output = nets["plain"].infer(image(case), num_tokens=case.tokens, fov_x=case.fov, use_fp16=False)
        name = f"camera/{case.name}/{case.fov}"
        kept[f"{name}/depth"] = output["depth"].numpy()[::STRIDE, ::STRIDE]
        kept[f"{name}/focal"] = output["intrinsics"][0, 0].numpy()
    np.savez_compressed(Path(__file__).parent / "data" / "moge.npz", **kept)


if __name__ == "__main__":
    main()
