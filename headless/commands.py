"""The commands `render`, `depth`, `scene` and `landmarks`."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from addon import spec as specs
from addon.errors import RenderError, StillscapeError, StorageError, UsageError
from addon.rig_actions import is_capture
from addon.rig_capture import read_capture
from addon.vision.depth import choose
from addon.vision.files import shown, write_atomically
from addon.vision.video import is_film

from .arguments import given_settings, make_parser
from .report import Report

INTERRUPTED = 75


class _Stop:
    """Set by a signal; the frame that is being rendered is finished first."""

    def __init__(self) -> None:
        self.asked = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._ask)

    def _ask(self, number: int, frame: Any) -> None:
        self.asked = True

    def __call__(self) -> bool:
        return self.asked


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Let a signal end what is going on at once: before the first frame there is nothing to be finished."""
    signals = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(number) for number in signals]

    def end(number: int, frame: Any) -> None:
        del number, frame
        for each in signals:  # the way out must not be interrupted again
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    for number in signals:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number, handler in zip(signals, before):
            signal.signal(number, signal.SIG_DFL if handler is None else handler)  # None: Blender's own, which Python cannot put back


def main(argv: Sequence[str]) -> int:
    """Run one command; `argv` as in sys.argv, under Blender with everything of ours after "--". Returns the exit code."""
    own = list(argv[argv.index("--") + 1 :]) if "--" in argv else list(argv[1:])
    try:
        arguments = make_parser().parse_args(own)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 2
    try:
        report = Report(arguments.json, verbose=arguments.verbose)
    except StillscapeError as error:
        sys.stderr.write(f"Stillscape: {error}\n")
        return error.exit_code
    try:
        return _COMMANDS[arguments.command](arguments, report)
    except StillscapeError as error:
        report.problem(str(error), error.exit_code)
        return error.exit_code
    except MemoryError:
        message = f"{arguments.photo}: not enough memory for this photo and size; choose a smaller --size or close other programs."
        report.problem(message, RenderError.exit_code)
        return RenderError.exit_code
    except KeyboardInterrupt:
        report.problem("Interrupted; nothing half-made was left.", INTERRUPTED)
        return INTERRUPTED


def settings(arguments: argparse.Namespace, report: Report) -> specs.SceneSpec:
    """The settings file if one was named, the command line over it, checked; written if asked for."""
    base = specs.read_spec(Path(arguments.spec)) if arguments.spec else specs.SceneSpec()
    given = given_settings(arguments)
    if is_film(Path(arguments.photo)):  # whose own length and speed would go before the move's
        if "seconds" in given.get("move", {}):
            raise UsageError(
                f"--seconds: {shown(Path(arguments.photo).name)} is a film and keeps its length; use --film-frames for less of it."
            )
        given.setdefault("video", {}).update({name: value for name, value in given.get("move", {}).items() if name in ("frames", "fps")})
    spec = specs.check(specs.override(base, given))
    if spec.move.camera_path and "name" in given.get("move", {}):
        if "camera_path" in given["move"]:
            raise UsageError("--move and --camera-path exclude each other; leave one out.")
        spec = replace(spec, move=replace(spec.move, camera_path=""))  # a move on the command line beats the file's path
    if is_capture(spec.rig.action) and not arguments.spec and not {"frames", "seconds"} & set(given.get("move", {})):
        frames = read_capture(Path(spec.rig.action)).frames(spec.move.fps)
        spec = specs.check(replace(spec, move=replace(spec.move, frames=frames)))
    if arguments.write_spec:
        _write_spec(spec, arguments.write_spec, report)
    if getattr(choose(spec.depth), "model", None) is not None and not _may_go_online():  # only what is listed is ever downloaded
        spec = replace(spec, machine=replace(spec.machine, offline=True))
    return spec


def _may_go_online() -> bool:
    """Whether the Blender that runs this, if one does, may: its users decide that for all extensions at once."""
    try:
        import bpy
    except ImportError:
        return True
    return not bpy.app.binary_path or bpy.app.online_access  # as a module, without a program, nobody has switched it


def _write_spec(spec: specs.SceneSpec, target: str, report: Report) -> None:
    if target == "-":
        for line in spec.to_json().splitlines():
            report.line(line)
    else:
        write_atomically(Path(target), lambda path: path.write_text(spec.to_json(), encoding="utf-8") and None)


def _output(arguments: argparse.Namespace) -> str | None:
    """OUT, or None if the command was only to write its settings."""
    if arguments.output is None and not arguments.write_spec:
        raise UsageError(f"{arguments.command}: say with -o where the result goes; --help shows the forms.")
    return arguments.output


def _depth(arguments: argparse.Namespace, report: Report) -> int:
    from addon.vision.depth_io import write_depth_file
    from addon.vision.worker_process import make_depth

    spec = settings(arguments, report)
    out = _output(arguments)
    if out is None:
        return 0
    photo = Path(arguments.photo)
    if is_film(photo):
        return _film_depth(photo, spec, out, report)
    with _ended_by_signals():
        disparity, made_by = make_depth(photo, spec, report.progress)
    write_depth_file(Path(out), disparity.d)
    report.progress(1.0, "Depth written")
    report.event("result", path=str(Path(out).resolve()), near=disparity.near, far=disparity.far, estimator=made_by)
    report.line(f"Depth map: {Path(out).resolve()} (near {disparity.near:g} m, far {disparity.far:g} m)")
    return 0


def _film_depth(photo: Path, spec: specs.SceneSpec, out: str, report: Report) -> int:
    """The depth of every frame of a film, as the render would use it."""
    import tempfile

    from addon.output.frames import frame_name
    from addon.vision.worker_process import make_layers

    if Path(out).suffix.lower() != ".png" or "#" not in Path(out).name:
        raise UsageError(f"{shown(out)}: the depth of a film is a sequence of 16-bit PNG files; name it depth_####.png.")
    with tempfile.TemporaryDirectory(prefix="stillscape-") as folder:
        with _ended_by_signals():
            layered = make_layers(photo, spec, Path(folder) / "film", report.progress)
        assert layered.frames is not None
        count = layered.frames.count
        for number in range(1, count + 1):
            content = layered.path(layered.frames.file(layered.frames.depth, number)).read_bytes()
            write_atomically(frame_name(out, number), lambda path, content=content: path.write_bytes(content) and None)
    report.event("result", path=str(Path(out).resolve()), near=layered.near, far=layered.far, frames=count, **layered.made)
    report.line(f"Depth maps: {count} in {Path(out).resolve().parent} (near {layered.near:g} m, far {layered.far:g} m)")
    return 0


def _blender() -> Any:
    """Blender's Python module, with an empty file open."""
    try:
        import bpy
    except ImportError as error:
        raise UsageError(f"Blender is missing ({error}): run this inside Blender, or install its module with pip install bpy.") from error
    # Not read_factory_settings: with the settings it forgets the installed extensions, and with them the OpenCV of ours.
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    return bpy


def _scene(arguments: argparse.Namespace, report: Report) -> int:
    spec = settings(arguments, report)
    out = _output(arguments)
    if out is None:
        return 0
    path = _blend_path(out)
    bpy = _blender()
    from addon.output import blend, job

    photo = Path(arguments.photo)
    with job.frames_folder(photo, path) as folder:
        with _ended_by_signals():
            built = job.make_scene(
                photo, spec, bpy.context.scene, report.scaled(0.0, 0.9), film=False, frames=folder, consent=arguments.consent
            )
        blend.save_blend(path)
    _tell_amount(built, report)
    report.progress(1.0, "Scene saved")
    report.event("result", path=str(path.resolve()), **_amount(built))
    report.line(f"Scene: {path.resolve()}")
    return 0


def _blend_path(text: str) -> Path:
    path = Path(text)
    if path.suffix.lower() != ".blend":
        raise UsageError(f"{shown(path)}: the scene's name must end in .blend.")
    return path


def _render(arguments: argparse.Namespace, report: Report) -> int:
    spec = settings(arguments, report)
    out = _output(arguments)
    if out is None:
        return 0
    save = _blend_path(arguments.save_blend) if arguments.save_blend else None
    bpy = _blender()
    from addon.output import job, stereo

    output = job.parse_output(out)
    job.check_output(output, spec.film)
    stereo.check(spec)
    _check_writable(output.path)
    photo = Path(arguments.photo)
    with job.frames_folder(photo, save) as folder:
        return _render_scene(photo, spec, bpy.context.scene, output, save, folder, report, consent=arguments.consent)


def _render_scene(
    photo: Path, spec: specs.SceneSpec, scene: Any, output: Any, save: Path | None, folder: Path | None, report: Report, *, consent: bool
) -> int:
    """Make the scene and render it. folder: of a film that comes in, where its frames stay."""
    from addon.output import blend, job, stereo
    from addon.output.frames import parse_frame_range

    with _ended_by_signals():
        built = job.make_scene(
            photo, spec, scene, report.scaled(0.0, 0.15), film=output.film, frames=folder,
            suffix=".png" if output.film else output.path.suffix, camera_alone=save is None, consent=consent,
        )  # fmt: skip
    _tell_amount(built, report)
    stop = _Stop()
    if save is not None:
        blend.save_blend(save)
        report.event("scene", path=str(save.resolve()))
    output = output._replace(path=stereo.named(output.path, spec, built.film_size))
    facts: dict[str, Any] = {}
    total = len(parse_frame_range(spec.render.frame_range, 1, built.shot.frames))
    frames = []

    def device_taken(text: str) -> None:
        report.event("device", device=text)
        report.line(f"Device: {text}")

    def encoding(share: float) -> None:
        report.progress(0.95 + 0.05 * share, "Writing the film")

    for frame in job.render(built, spec, scene, output, stop=stop, device_taken=device_taken, encoding=encoding, noted=facts.update):
        frames.append(frame)
        report.frame(*frame, len(frames), total, show=not output.film)
        report.progress(0.15 + (0.8 if output.film else 0.85) * len(frames) / total, f"Frame {len(frames)} of {total}")
    if stop():
        left = "no film was written" if output.film else "those that were written are whole"
        report.problem(f"Interrupted after {len(frames)} of {total} frames; {left}.", INTERRUPTED)
        return INTERRUPTED
    size = facts.pop("size", built.film_size)
    if "warning" in facts:
        report.line(f"Warning: {facts['warning']}")
    report.event(
        "result", path=str(output.path.resolve()), frames=[f.number for f in frames], size=list(size), fps=built.shot.fps,
        **_amount(built), **facts,
    )  # fmt: skip
    what = f"Film: {output.path.resolve()}" if output.film else f"Frames: {total} in {output.path.resolve().parent}"
    report.line(f"{what} ({size[0]}x{size[1]}, {total} frames)")
    return 0


def _tell_amount(built: Any, report: Report) -> None:
    """Say which amount of the move was found, if it was to be."""
    from addon.vision.amounts import told

    if built.safe is not None:
        report.line(told(built.safe))


def _amount(built: Any) -> dict[str, Any]:
    """What a result holds about it."""
    found = built.safe
    if found is None:
        return {}
    return {"amount": found.amount, "amount_limit": found.limit, "amount_shares": found.shares._asdict(), "advice": found.advice}


def _check_writable(path: Path) -> None:
    """Find out before minutes of rendering whether the place can be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"{shown(path.parent)}: the folder cannot be made ({error.strerror or error}); choose another place.") from error
    if path.is_dir():
        raise StorageError(f"{shown(path)}: this is a folder; choose another name.")


def _landmarks(arguments: argparse.Namespace, report: Report) -> int:
    from addon.vision.landmarks import to_json
    from addon.vision.people import find_in, nobody
    from addon.vision.photo import read_photo

    spec = settings(arguments, report)
    out = _output(arguments)
    if out is None:
        return 0
    if Path(out).suffix.lower() != ".json":
        raise UsageError(f"{shown(out)}: landmarks are kept as JSON; name the file so that it ends in .json.")
    path = Path(arguments.photo)
    if is_film(path):
        raise UsageError(f"{shown(path)}: people are found in photos, not in films; give a photo.")
    with _ended_by_signals():
        report.progress(0.0, "Reading the photo")
        photo = read_photo(path, max_megapixels=spec.photo.max_megapixels)
        report.progress(0.3, "Finding people")
        people = find_in(photo, spec.rig)
    if not people:
        raise nobody(path)
    write_atomically(Path(out), lambda target: target.write_text(to_json(people), encoding="utf-8") and None)
    report.event("result", path=str(Path(out).resolve()), people=[person.name for person in people])
    report.line(f"Landmarks: {Path(out).resolve()} ({len(people)} {'person' if len(people) == 1 else 'people'})")
    return 0


_COMMANDS = {"render": _render, "depth": _depth, "scene": _scene, "landmarks": _landmarks}
