"""People who were photographed and now move: whether that may be, what they do, and what the film says of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import bpy

from ..errors import RenderError, UsageError
from ..moves import Shot
from ..rig_actions import Clip, Voice, chain, is_capture, parse_actions
from ..rig_capture import capture_clip, read_capture
from ..rig_voice import voice_of
from ..scene.build import Built
from ..scene.rig_play import play, rigs_under
from ..spec import SceneSpec
from ..vision import people as finding
from ..vision.files import shown
from ..vision.layered import LayeredPhoto
from ..vision.subject import people_of, read_people
from ..vision.video import is_film
from .sound import read_sound

NOTE = "A person in this film was animated from a photograph."
"""What the files of films and frames say where a person is rigged."""


def check(spec: SceneSpec, photo: Path, *, consent: bool) -> None:
    """Find out before minutes of work whether the people of a photo may and can be rigged as `spec` says.

    Raises UsageError without the user's consent and for what does not go together, InputError for a file that cannot be used.
    """
    rig = spec.rig
    if rig.kind == "none":
        return
    if is_film(photo):
        raise UsageError(
            f"--rig {rig.kind}: {shown(photo.name)} is a film, in which nobody can be rigged; give a photo, or leave out --rig."
        )
    if spec.render.engine == "warp":
        raise UsageError("--engine warp bends layers and cannot draw a rigged person; choose --engine cycles, or leave out --rig.")
    if not is_capture(rig.action):
        parse_actions(rig.action)
    people = read_people(Path(rig.landmarks)) if rig.landmarks else None
    # Of people who are yet to be found, the face may be seen.
    if not consent and (rig.kind == "face" or people is None or finding.has_faces(people)):
        raise UsageError(
            f"--rig {rig.kind} lets a person in {shown(photo.name)} move: add --consent to confirm that you have the right to animate them."
        )
    if people is not None and (not people or rig.kind == "face" and not finding.has_faces(people)):
        raise finding.nobody(rig.landmarks)
    if is_capture(rig.action):
        read_capture(Path(rig.action))
    if rig.voice:
        read_sound(Path(rig.voice), 0.1)


def add_people(layered: LayeredPhoto, spec: SceneSpec, built: Built, photo: Path) -> tuple[bpy.types.Object, ...]:
    """Rig the people of a scene that was just built and let them act; their armatures. Nothing happens without a rig in `spec`.

    Raises InputError if there is nobody to be rigged, RenderError if nobody can be.
    """
    if spec.rig.kind == "none":
        return ()
    people = people_of(layered)
    if not people or (spec.rig.kind == "face" and not finding.has_faces(people)):
        raise finding.nobody(photo)
    from ..scene.rig import build_rigs

    armatures: tuple[bpy.types.Object, ...] = tuple(build_rigs(layered, spec, built))
    if not armatures:
        raise RenderError(
            f"{shown(photo)}: nobody in it could be cut out to be rigged; correct the landmarks (the landmarks command writes them), or give a depth map."
        )
    for number, armature in enumerate(armatures):
        act(armature, spec, built.shot, seed=spec.rig.seed + number)
    return armatures


def act(armature: bpy.types.Object, spec: SceneSpec, shot: Shot, *, seed: int = 0) -> int:
    """Let a rig do what `spec` says over a shot; return how many channels move. Raises InputError or UsageError."""
    one = clip_of(spec, shot.frames, shot.fps, seed=seed)
    return 0 if one is None else play(armature, one)


def clip_of(spec: SceneSpec, frames: int, fps: float, *, seed: int = 0) -> Clip | None:
    """What `spec` lets a rigged person do in so many frames, or None. Raises InputError or UsageError."""
    rig = spec.rig
    if not rig.action.strip():
        return None
    if is_capture(rig.action):
        path = Path(rig.action)
        return capture_clip(read_capture(path), fps, frames, amount=rig.amount, name=path.stem)
    return chain(rig.action, frames, fps, amount=rig.amount, seed=seed, voice=voice(spec, frames, fps))


def voice(spec: SceneSpec, frames: int, fps: float) -> Voice | None:
    """The voice that a talk follows: of its own sound, else of the film's; None without one, or where nobody talks."""
    file = spec.rig.voice or spec.film.audio
    if not file or not any("talk" in group for group in parse_actions(spec.rig.action)):
        return None
    samples, rate = read_sound(Path(file), frames / fps)
    return voice_of(samples, rate, fps, frames)


def note_of(root: bpy.types.Object) -> str:
    """What films of a photo must say of it: `NOTE` if a person in it is rigged, else nothing."""
    return NOTE if rigs_under(root) else ""


def with_action(spec: SceneSpec, action: str, **more: Any) -> SceneSpec:
    """The settings with another action."""
    return replace(spec, rig=replace(spec.rig, action=action, **more))
