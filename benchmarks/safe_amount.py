"""`--amount auto` on ten scenes: are the limits kept at every frame, and how near is the amount to the largest that keeps them?

    python benchmarks/safe_amount.py [--only room coffee] [--moves truck orbit push-in] [--width 256]

Five scenes that Blender renders itself, with known depth (scenes.py), Cones with measured depth (../shared/data/depth-dev), and
scikit-image's astronaut, coffee, cat and rocket with the built-in depth network. Frames show what each pixel is (stretched, past the border,
hidden in the photo; times the weight of what stands there in the photo) and what is uncovered: those of the default engine at twice the size
that the search looks at, and those of Cycles, whose materials are made to emit it. The largest amount is found by brute force with the
first: amounts from 0.05 on until one is too much, then between the last two to 4 %.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import novel_views
import numpy as np
import product

ROOT = Path(__file__).resolve().parents[1]
OUT = novel_views.OUT
PHOTOS = {"astronaut": "astronaut", "coffee": "coffee", "cat": "chelsea", "rocket": "rocket"}
LONGEST = 640
FRAMES = 7  # of the move; all of them are measured at the amount that is found
STEP = 1.04
KINDS = ("stretched", "outside", "revealed")


class Given(NamedTuple):
    """A photo, and what the settings say about it."""

    photo: Path
    settings: dict[str, dict[str, object]]


def given(name: str) -> Given:
    """A photo by name, with its depth where that is known."""
    folder = OUT / "work" / "safe_amount"
    folder.mkdir(parents=True, exist_ok=True)
    if name in PHOTOS:
        from skimage import data

        picture = getattr(data, PHOTOS[name])()[..., ::-1]
        scale = min(1.0, LONGEST / max(picture.shape[:2]))
        size = round(picture.shape[1] * scale), round(picture.shape[0] * scale)
        cv2.imwrite(str(folder / f"{name}.png"), cv2.resize(picture, size, interpolation=cv2.INTER_AREA))
        return Given(folder / f"{name}.png", {"depth": {"estimator": "built-in"}})
    if name == "cones":
        source = novel_views.cones_source(OUT / "work" / "cones")[0]
    else:
        source = novel_views.source_of(novel_views.load_scene(name))
    return Given(source.photo, {"photo": {"fov": source.fov}, "depth": {"file": str(source.depth), "kind": "depth"}})


class Stage:
    """A scene that is built, and what its frames show."""

    def __init__(self, one: Given, move: str, width: int, vertices: int) -> None:
        import bpy

        from addon.output import job, render
        from addon.scene import amount, notes
        from addon.scene.build import stage_of
        from addon.spec import SceneSpec, override

        bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
        picture = cv2.imread(str(one.photo))
        size = width, max(2, round(width * picture.shape[0] / picture.shape[1]))
        more: dict[str, dict[str, Any]] = {
            "move": {"name": move, "amount": None, "frames": FRAMES, "ease": "linear"},
            "render": {"size": size, "samples": 2},
            "relief": {"max_vertices": vertices},
        }
        self.spec = override(override(SceneSpec(), one.settings), more)
        self.scene = bpy.context.scene
        self.built = job.make_scene(one.photo, self.spec, self.scene, lambda share, text: None, film=False)
        assert self.built.safe is not None
        self.found = self.built.safe
        self.move, self.stage = self.spec.move, stage_of(self.built.root)
        self.notes = notes.read_notes(self.built.root)
        started = time.process_time()
        amount.find(self.built.root, self.built.layers, self.notes, self.stage, self.move, self.notes.film, self.notes.crop)
        self._exact: Any = None
        self.seconds = time.process_time() - started
        product.show_instead([m for layer in self.built.layers for m in layer.data.materials], self._colour)
        self.scene.render.film_transparent = True
        self.scene.view_settings.view_transform = "Raw"
        render.set_format(self.scene, ".exr", deep=True, transparent=True)
        self.scene.render.image_settings.color_depth = "32"

    def _colour(self, tree: Any) -> Any:
        """Red, green and blue: stretched, outside, revealed, times the weight."""
        import bpy

        from addon.scene.amount import attention
        from addon.scene.relief import LOOKUP, RAY
        from addon.vision.coverage import WEIGHTS

        name = "Weights"
        image = bpy.data.images.get(name)
        if image is None:
            weights = WEIGHTS[attention(self.built.root)][::-1]
            image = bpy.data.images.new(name, weights.shape[1], weights.shape[0], float_buffer=True, is_data=True)
            image.pixels.foreach_set(np.dstack([weights] * 3 + [np.ones_like(weights)]).astype(np.float32).ravel())
            image.update()
            image.pack()
        n = product.Nodes(tree)
        ray = n.add(
            "ShaderNodeSeparateXYZ", {0: n.add("ShaderNodeAttribute", attribute_type="GEOMETRY", attribute_name=RAY).outputs["Vector"]}
        )
        u, v = (n.calculate("DIVIDE", ray.outputs[i], ray.outputs[2]) for i in (0, 1))
        off = [n.calculate("ABSOLUTE", n.calculate("SUBTRACT", at, 0.5)) for at in (u, v)]
        outside = n.calculate("GREATER_THAN", n.calculate("MAXIMUM", *off), 0.5)
        lookup = n.add("ShaderNodeAttribute", attribute_type="GEOMETRY", attribute_name=LOOKUP).outputs["Vector"]
        hidden = n.calculate("GREATER_THAN", n.add("ShaderNodeSeparateXYZ", {0: lookup}).outputs[2], 0.5)
        revealed = n.calculate("MULTIPLY", hidden, n.calculate("SUBTRACT", 1.0, outside))
        place = n.add("ShaderNodeCombineXYZ", {0: u, 1: v, 2: 0.0})
        texture = n.add("ShaderNodeTexImage", {0: place.outputs[0]}, image=image, interpolation="Closest", extension="EXTEND")
        red = n.add("ShaderNodeSeparateColor", {0: texture.outputs["Color"]}).outputs[0]
        kinds = (n.calculate("GREATER_THAN", n.stretch(), 2.0), outside, revealed)
        return n.add("ShaderNodeCombineColor", dict(enumerate(n.calculate("MULTIPLY", red, kind) for kind in kinds))).outputs[0]

    def by_default(self, amount: float, frames: int = FRAMES) -> Any:
        """The worst shares over so many frames of the move of this amount, as the default engine draws them, at twice the film's size."""
        from addon.scene import amount as amounts_of
        from addon.scene.notes import window
        from addon.vision import amounts
        from addon.vision.coverage import poses, view

        if self._exact is None:
            self._exact = amounts_of.look_at(self.built.root, self.built.layers, self.notes).exact
        film = view(window(self.notes), self.notes.film)
        fine = film._replace(size=(2 * film.size[0], 2 * film.size[1]))
        shot = amounts.planned(self.move, self.stage, amount)
        return amounts.worst(self._exact(fine, pose) for pose in poses(shot, self.stage, frames))

    def by_cycles(self, amount: float) -> Any:
        """The same as Cycles renders it at the film's size; what is lost of the photo is worked out."""
        import bpy

        from addon.scene import camera
        from addon.scene.notes import window
        from addon.vision import amounts
        from addon.vision.coverage import Shares, poses, view

        shot = amounts.planned(self.move, self.stage, amount)
        camera.animate(self.built.camera, shot)
        found = []
        for frame in range(1, FRAMES + 1):
            self.scene.frame_set(frame)
            path = OUT / "work" / "safe_amount" / "frame.exr"
            self.scene.render.filepath, self.scene.render.use_file_extension = str(path), False
            bpy.ops.render.render(write_still=True)
            blue, green, red, alpha = cv2.split(cv2.imread(str(path), cv2.IMREAD_UNCHANGED))
            found.append(Shares(float((1 - alpha).mean()), float(red.mean()), float(green.mean()), float(blue.mean())))
        n = self.notes
        film = view(window(n), n.film)
        scene = self.geometry()
        lost = [Shares(0, 0, 0, 0, *scene(film, pose)[4:]) for pose in poses(shot, self.stage, FRAMES)]
        return amounts.worst([*found, *lost])

    def geometry(self) -> Any:
        from addon.scene import amount
        from addon.vision import amounts

        if not hasattr(self, "_geometry"):
            self._geometry = amounts.looked_at(amount.look_at(self.built.root, self.built.layers, self.notes).relief)
        return self._geometry

    def brute_force(self) -> float:
        """The largest amount that keeps the limits in rendered frames, to a factor of STEP."""
        from addon.vision import amounts

        limits = amounts.limits(self.move.flaws)

        def keeps(amount: float) -> bool:
            return amounts.excess(self.by_default(amount), limits)[0] <= 1

        kept, over = 0.0, amounts.MOST
        if keeps(over):
            return over
        amount = 0.05
        while amount < over:  # from below, so that nothing that is too much lies under what is kept
            if not keeps(amount):
                over = amount
                break
            kept, amount = amount, 1.6 * amount
        while kept and over > STEP * kept:
            middle = (kept * over) ** 0.5
            kept, over = (middle, over) if keeps(middle) else (kept, middle)
        return kept


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = ("room", "portrait", "landscape", "fence", "strands", "cones", *PHOTOS)
    parser.add_argument("--only", nargs="+", choices=names, default=names)
    parser.add_argument("--moves", nargs="+", default=("truck", "orbit", "push-in"))
    parser.add_argument("--width", type=int, default=256, help="of the film that is rendered, in pixels")
    parser.add_argument("--vertices", type=int, default=1_000_000, help="most vertices of the layers; a million is the default of a scene")
    args = parser.parse_args()
    from addon.vision import amounts

    rows: dict[str, list[Any]] = {}
    for move in args.moves:
        for name in args.only:
            stage = Stage(given(name), move, args.width, args.vertices)
            amount, limit, _, advice = stage.found
            limits = amounts.limits(stage.move.flaws)
            drawn, rendered = stage.by_default(amount, 4 * FRAMES), stage.by_cycles(amount)
            largest = stage.brute_force()
            rows[f"{name}, {move}"] = [
                f"{amount:g}", limit or "-", *(" / ".join(f"{100 * v:.2f}" for v in found[:4]) for found in (drawn, rendered)),
                *(f"{amounts.excess(found, limits)[0]:.2f}" for found in (drawn, rendered)),
                f"{largest:.3g}", f"{amount / largest:.2f}" if largest else "-", f"{stage.seconds:.2f}",
            ]  # fmt: skip
            print(name, move, *rows[f"{name}, {move}"], advice, file=sys.stderr, flush=True)
    head = ("amount", "ended by", "default engine, %", "Cycles, %", "of its limit", "Cycles", "largest", "ratio", "seconds")
    text = novel_views.table(head, rows)
    (OUT / "safe_amount.md").write_text(text)
    print("\n" + text)


if __name__ == "__main__":
    main()
