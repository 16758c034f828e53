"""Seconds and memory that a rig takes, from a layered photo with landmarks to armature and mesh in Blender, by stages.

    .venv/bin/python benchmarks/rig_speed.py [--runs 3] [--body] [--profile]

The photo is scikit-image's astronaut (NASA, in the public domain), enlarged to 1440×1440, with the built-in depth and the landmarks that
are found in it. Layers and scene are made first and do not count. Stages are timed where the product calls them; of several runs, each
in a fresh scene, the one with the least processor time counts. Wall time says more about what else the machine does.
"""

from __future__ import annotations

import argparse
import cProfile
import os
import platform
import pstats
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import bpy
import cv2
import skimage.data

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from addon.output.job import build_scene  # noqa: E402
from addon.scene import rig, rig_people  # noqa: E402
from addon.spec import SceneSpec  # noqa: E402
from addon.vision import subject_rig  # noqa: E402
from addon.vision.layered import LayeredPhoto  # noqa: E402
from addon.vision.pipeline import make_layered_photo  # noqa: E402

SIDE = 1440
STAGES: tuple[tuple[str, Any, tuple[str, ...]], ...] = (
    ("files of the layered photo", rig, ("photo_of",)),
    ("files of the layered photo", rig_people, ("source_of", "photo_colour")),
    ("the average face laid on the landmarks", rig_people, ("fit_face",)),
    ("mesh", subject_rig, ("make_subject",)),
    ("pictures of eyes and mouth", subject_rig, ("make_pictures",)),
    ("inside of the mouth", subject_rig, ("_completed",)),
    ("bones", subject_rig, ("bones_for",)),
    ("weights", subject_rig, ("weigh",)),
    ("52 keys", subject_rig, ("face_keys",)),
    ("Blender: mesh and materials", rig, ("new_mesh", "_paint")),
    ("Blender: weights", rig, ("write_weights",)),
    ("Blender: keys", rig, ("write_keys",)),
    ("Blender: armature", rig, ("write_bones", "dress", "add_sliders")),
    ("Blender: drivers", rig, ("drive_keys",)),
    ("Blender: what the rig hides", rig, ("_uncover",)),
)
"""Names of stages, and the functions that they are, by the modules that call them."""
WHOLE = "all together"

Times = dict[str, tuple[float, float]]


def watched(times: Times) -> Callable[[], None]:
    """Let every stage add its processor and wall seconds to `times`; returns what ends that."""
    undo = []

    def watch(stage: str, module: Any, name: str) -> None:
        function = getattr(module, name)

        def timed(*args: Any, **more: Any) -> Any:
            processor, wall = time.process_time(), time.perf_counter()
            try:
                return function(*args, **more)
            finally:
                before = times.get(stage, (0.0, 0.0))
                times[stage] = before[0] + time.process_time() - processor, before[1] + time.perf_counter() - wall

        setattr(module, name, timed)
        undo.append((module, name, function))

    for stage, module, names in STAGES:
        for name in names:
            watch(stage, module, name)

    def end() -> None:
        for module, name, function in undo:
            setattr(module, name, function)

    return end


def portrait(folder: Path, spec: SceneSpec) -> LayeredPhoto:
    """The astronaut in layers, with landmarks and a layer of her own."""
    photo = folder / "portrait.png"
    cv2.imwrite(str(photo), cv2.resize(skimage.data.astronaut()[..., ::-1], (SIDE, SIDE), interpolation=cv2.INTER_CUBIC))
    return make_layered_photo(photo, spec, folder / "layers", lambda share, text: None)


def rigged(layered: LayeredPhoto, spec: SceneSpec, profile: cProfile.Profile | None = None) -> tuple[Times, int]:
    """Seconds by stage of one rig in a fresh scene, and how many vertices it has."""
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    built = build_scene(layered, spec, bpy.context.scene, film=True)
    times: Times = {}
    end = watched(times) if profile is None else lambda: None
    processor, wall = time.process_time(), time.perf_counter()
    if profile is not None:
        profile.enable()
    made = rig.build_rigs(layered, spec, built)
    if profile is not None:
        profile.disable()
    times[WHOLE] = time.process_time() - processor, time.perf_counter() - wall
    end()
    if len(made) != 1:
        raise SystemExit("Nobody was found in the portrait.")
    return times, len(made[0][rig.MESH].data.vertices)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--body", action="store_true", help="trunk and limbs as well")
    parser.add_argument("--profile", action="store_true", help="print where the time goes, by functions, instead")
    args = parser.parse_args()
    spec = SceneSpec()
    spec = replace(spec, rig=replace(spec.rig, kind="body" if args.body else "face"))
    with tempfile.TemporaryDirectory() as name:
        layered = portrait(Path(name), spec)
        if args.profile:
            rigged(layered, spec)  # so that what is loaded once does not count
            profile = cProfile.Profile()
            rigged(layered, spec, profile)
            pstats.Stats(profile).sort_stats("tottime").print_stats(45)
            return
        # Once without the rig, so that the scene's own memory does not count as the rig's.
        bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
        build_scene(layered, spec, bpy.context.scene, film=True)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        runs = [rigged(layered, spec) for _ in range(args.runs)]
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    times, vertices = min(runs, key=lambda run: run[0][WHOLE][0])
    first = runs[0][0][WHOLE]
    load = " ".join(f"{value:.1f}" for value in os.getloadavg()[:2])
    print(f"Blender {bpy.app.version_string}, {platform.machine()}, {os.cpu_count()} cores, load {load}, {args.runs} runs\n")
    print("| stage | processor, s | wall, s |\n|---|---|---|")
    for stage in dict.fromkeys(s for s, _, _ in STAGES):
        if stage in times:
            print(f"| {stage} | {times[stage][0]:.2f} | {times[stage][1]:.2f} |")
    others = [times[WHOLE][i] - sum(t[i] for s, t in times.items() if s != WHOLE) for i in (0, 1)]
    print(f"| the rest | {others[0]:.2f} | {others[1]:.2f} |")
    print(f"| **{WHOLE}** | **{times[WHOLE][0]:.2f}** | **{times[WHOLE][1]:.2f}** |")
    print(f"\n{vertices} vertices; the first rig of a process {first[0]:.2f} s ({first[1]:.2f} s wall)")
    print(f"Peak memory {peak / 2**20:.2f} GB, {(peak - before) / 2**20:.2f} GB more than layers and scene alone")


if __name__ == "__main__":
    main()
