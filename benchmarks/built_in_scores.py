"""How right the built-in depth is on the photos of ../shared/data/depth-dev, stage by stage.

    python benchmarks/built_in_scores.py [--network built_in.onnx]

Scores after the usual fit of scale and shift to inverse depth: AbsRel, the share of pixels within a factor of 1.25, the share of pairs ordered
rightly; means, and each photo of the whole estimate beside a vertical ramp. Needs OpenCV only.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import cv2
import novel_views
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from addon.spec import DepthSpec  # noqa: E402
from addon.vision.depth import built_in, plane  # noqa: E402
from addon.vision.faces import find_faces  # noqa: E402
from addon.vision.networks import Floats, predicting  # noqa: E402
from addon.vision.networks import built_in as network_file  # noqa: E402
from addon.vision.photo import Photo  # noqa: E402

dev = novel_views.shared_tool("load", "data/depth-dev")


def quiet(share: float, text: str) -> None:
    """Progress that nobody looks at."""


def stages(colour: np.ndarray) -> dict[str, Floats]:
    """Disparity of a photo, uint8 H×W×3 RGB, by what made it: each float32 H×W, of any scale and shift."""
    height, width = colour.shape[:2]
    network = network_file.load(built_in.ESTIMATOR.source)
    picture = (colour / np.float32(255)).astype(np.float32)
    side = built_in.side_of((width, height), built_in.SCENE)
    once = network.predict(picture, side, None)
    mirrored = predicting.predict(network, picture, side=side, focal=None, flip=True, tiles=False, progress=quiet)
    both = built_in.look(network, colour, DepthSpec(), quiet)
    helped = built_in.helped_out(both, colour, find_faces(colour))
    photo = Photo(Path("photo.png"), colour, None, None, "")
    made = {"network, once": once.values, "and mirrored": mirrored.values, "and larger": both.values, "and priors": helped.values}
    made["built-in, with edges"] = built_in.ESTIMATOR.estimate(photo, DepthSpec(), quiet).values
    made["plane"] = plane.ESTIMATOR.estimate(photo, DepthSpec(), quiet).values
    made["vertical ramp"] = np.repeat(np.linspace(0, 1, height, dtype=np.float32)[:, None], width, 1)
    return {name: cv2.resize(values, (width, height), interpolation=cv2.INTER_LINEAR) for name, values in made.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--network", type=Path, help="another file in the place of the built-in network's")
    arguments = parser.parse_args()
    if arguments.network is not None:
        built_in.ESTIMATOR.source = arguments.network.resolve()
    scores: dict[str, dict[str, tuple[float, float, float]]] = {}
    for name, image, truth, valid in dev.items():
        if image.shape[:2] != truth.shape:
            image = cv2.resize(image, truth.shape[::-1], interpolation=cv2.INTER_AREA)
        for stage, values in stages(np.ascontiguousarray(image[..., ::-1])).items():
            scores.setdefault(stage, {})[name] = (*dev.absrel_delta1(values, truth, valid), dev.ordinal(values, truth, valid))
    for stage, found in scores.items():
        print(f"{stage:22s} AbsRel {{:.3f}}  delta-1 {{:.3f}}  ordinal {{:.3f}}".format(*np.mean(list(found.values()), 0)))
    whole, ramp = scores["built-in, with edges"], scores["vertical ramp"]
    for name in whole:
        print(f"  {name:18s} {{:.3f}} {{:.3f}} {{:.3f}}   ramp {{:.3f}} {{:.3f}} {{:.3f}}".format(*whole[name], *ramp[name]))
    print(f"better than the ramp on {sum(whole[n][0] < ramp[n][0] for n in whole)} of {len(whole)}")


if __name__ == "__main__":
    main()
