"""Every setting, once.

The command line, the JSON file and Blender's property groups are three views of the dataclasses below: each field
carries its label, help, range and choices, and nothing else in the project repeats them. Lengths are metres, angles
degrees, sizes pixels. Standard library only.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, NamedTuple

from .errors import InputError, UsageError

SCHEMA = 1

Choices = tuple[tuple[str, str, str], ...]
"""(identifier, label, description), as Blender's EnumProperty takes them."""


class Meta(NamedTuple):
    """What a front needs to show one setting."""

    kind: str  # "float", "int", "bool", "choice", "text", "file", "folder", "size", "pair", "point" (X,Y), "colour" (#rrggbb)
    label: str
    help: str
    minimum: float | None = None
    maximum: float | None = None
    choices: Choices = ()
    optional: bool = False  # None is allowed and means "work it out"
    unit: str = ""  # "m", "deg", "px" or ""
    flag: str = ""  # the command line's name, where it is not the field's own


def setting(default: Any, kind: str, label: str, help: str, **more: Any) -> Any:
    optional = more.pop("optional", default is None)
    return field(default=default, metadata={"setting": Meta(kind, label, help, optional=optional, **more)})


DEPTH_KINDS: Choices = (
    ("auto", "Automatic", "Disparity for pictures; metres for arrays and float images that look like metres"),
    ("disparity", "Disparity", "Near is large, in any scale"),
    ("depth", "Depth", "Metres along the optical axis"),
)
LAYERINGS: Choices = (
    ("many", "Many", "As many layers as the picture needs, each going on behind what covers it"),
    ("two", "Two", "A front and a background"),
    ("off", "Off", "One sheet, which stretches where the camera looks behind things"),
)
FILLS: Choices = (
    ("texture", "Texture", "What is hidden is filled with patches of its surroundings"),
    ("smooth", "Smooth", "What is hidden is filled with blended colors: quicker"),
)
MOVES: Choices = (
    ("static", "Static", "The camera stands still"),
    ("push-in", "Push In", "Move towards the subject"),
    ("pull-back", "Pull Back", "Start near the subject and move back until the whole photo is seen"),
    ("truck", "Truck", "Move sideways, looking straight on"),
    ("pedestal", "Pedestal", "Move up, looking straight on"),
    ("pan", "Pan", "Turn to the side without moving"),
    ("tilt", "Tilt", "Turn up without moving"),
    ("roll", "Roll", "Turn the picture around its middle"),
    ("orbit", "Orbit", "Swing sideways around the subject, keeping it in the middle"),
    ("arc", "Arc", "Swing around the subject from one side to the other, with the photo half way"),
    ("spiral", "Spiral", "Move towards the subject while circling around it"),
    ("dolly-zoom", "Dolly Zoom", "Move back and zoom in, so that the subject keeps its size and what is behind it grows"),
    ("zoom", "Zoom", "Zoom in without moving"),
    ("ken-burns", "Ken Burns", "Go from one part of the picture to another without moving"),
    ("handheld", "Handheld", "Sway as if held in the hands"),
    ("swing", "Swing", "Swing from side to side around the subject, over and over"),
    ("circle", "Circle", "Circle around the line to the subject, over and over"),
)
EASES: Choices = (
    ("linear", "Linear", "The same speed throughout"),
    ("in", "Ease In", "Start slowly"),
    ("out", "Ease Out", "End slowly"),
    ("in-out", "Ease In and Out", "Start and end slowly"),
)
CURVES: Choices = (
    ("sine", "Sine", "Gentle"),
    ("quad", "Quadratic", "A little stronger than sine"),
    ("cubic", "Cubic", "Stronger"),
    ("quart", "Quartic", "Stronger still"),
    ("quint", "Quintic", "Very strong"),
    ("expo", "Exponential", "Hardly moving, then all at once"),
    ("circ", "Circular", "Along a quarter of a circle"),
    ("back", "Back", "Goes a little too far and comes back"),
    ("bounce", "Bounce", "Bounces off the end"),
    ("elastic", "Elastic", "Swings to and fro about the end"),
    ("bezier", "Bezier", "Blender's usual curve, with handles to drag"),
)
ENGINES: Choices = (
    (
        "auto",
        "Automatic",
        "The quickest that shows all of it: Warp on the command line where nothing but the photo is in the picture, else Cycles",
    ),
    ("warp", "Warp", "On the command line: layers bent to the camera's place, many times quicker than Cycles without a graphics card"),
    ("cycles", "Cycles", "Exact colors and clean edges; runs everywhere"),
    ("eevee", "Eevee", "Fast with a graphics card"),
    ("workbench", "Workbench", "Quick preview"),
)
DEVICES: Choices = (
    ("auto", "Automatic", "A graphics card where there is one, otherwise the processor"),
    ("cpu", "CPU", "The processor"),
    ("cuda", "CUDA", "NVIDIA"),
    ("optix", "OptiX", "NVIDIA with ray-tracing cores"),
    ("hip", "HIP", "AMD"),
    ("metal", "Metal", "Apple"),
    ("oneapi", "oneAPI", "Intel"),
)
NETWORK_DEVICES: Choices = (
    ("auto", "Automatic", "A graphics card where torch finds one, otherwise the processor"),
    ("cpu", "CPU", "The processor"),
    ("cuda", "CUDA or ROCm", "NVIDIA, or AMD with torch for ROCm"),
    ("mps", "Metal", "Apple"),
    ("xpu", "oneAPI", "Intel"),
)


@dataclass(frozen=True)
class PhotoSpec:
    """The photo and the camera that took it."""

    fov: float | None = setting(
        None, "float", "Field of View", "Horizontal field of view of the photo's camera", minimum=1, maximum=160, unit="deg"
    )
    lens_shift: tuple[float, float] = setting(
        (0.0, 0.0),
        "pair",
        "Lens Shift",
        "Where the optical axis meets a cropped photo: right and up of its middle, in shares of its width",
        minimum=-2,
        maximum=2,
    )
    max_megapixels: float = setting(
        100.0, "float", "Largest Photo", "Refuse photos of more megapixels than this", minimum=0.01, maximum=2000
    )


@dataclass(frozen=True)
class DepthSpec:
    """Where the depth comes from and how far away things are."""

    estimator: str = setting(
        "auto",
        "text",
        "Depth Source",
        "What finds the depth of every pixel: auto takes the depth map if one is given, else the best there is",
    )
    file: str = setting("", "file", "Depth Map", "A depth map of your own (PNG, TIFF, EXR, NPY or PFM)", flag="depth")
    kind: str = setting(
        "auto", "choice", "Depth Map Holds", "What the numbers in the depth map mean", choices=DEPTH_KINDS, flag="depth-kind"
    )
    near: float | None = setting(None, "float", "Near", "Distance of the nearest point", minimum=1e-4, maximum=1e6, unit="m")
    far: float | None = setting(None, "float", "Far", "Distance of the farthest point", minimum=1e-4, maximum=1e7, unit="m")
    ratio: float | None = setting(
        None,
        "float",
        "Far to Near",
        "How many times farther the farthest point is than the nearest, where the depth does not tell; worked out from the floor if left out",
        minimum=1.1,
        maximum=1000,
        flag="far-to-near",
    )
    known_size: float | None = setting(
        None,
        "float",
        "Known Size",
        "The real distance between two points of the photo, such as the height of a person: sets the scale of the scene",
        minimum=1e-4,
        maximum=1e5,
        unit="m",
    )
    known_from: tuple[float, float] = setting(
        (0.5, 0.25),
        "pair",
        "Known From",
        "Where the known size begins: from the left and from the top, in shares of the photo",
        minimum=0,
        maximum=1,
    )
    known_to: tuple[float, float] = setting((0.5, 0.75), "pair", "Known To", "Where the known size ends", minimum=0, maximum=1)
    network: str = setting(
        "", "file", "Network", "A depth network of your own: an ONNX file, a model.pt of MoGe, or a folder with config.json and weights"
    )
    network_size: int | None = setting(
        None,
        "int",
        "Network Input",
        "Shorter side of the picture that the network is shown: more shows finer things and takes longer",
        minimum=56,
        maximum=4096,
        unit="px",
    )
    flip: bool = setting(
        False, "bool", "Average Mirrored", "Estimate a second time from the mirrored photo and average: steadier, twice the time"
    )
    tiles: bool = setting(
        False, "bool", "Tiles", "Also estimate overlapping parts of a large photo, for detail that is lost when all of it is made small"
    )
    sharpen: bool = setting(True, "bool", "Sharpen Edges", "Make the soft edges of a network's depth follow the edges of the photo")


@dataclass(frozen=True)
class LayersSpec:
    """How the photo is cut into layers and what is behind them."""

    mode: str = setting("many", "choice", "Layers", "How many layers the photo is cut into", choices=LAYERINGS, flag="layers")
    reserve: float | None = setting(
        None,
        "float",
        "Reserve",
        "How far layers go on behind each other and past the border, in shares of the photo's width: room for the camera to move; 0.08 if left out, or as much as an amount of the move that is worked out needs",
        minimum=0.005,
        maximum=0.3,
    )
    tear: float = setting(
        0.02,
        "float",
        "Tear",
        "How different the depth of neighboring pixels must be to be cut apart, in shares of the whole depth",
        minimum=0.002,
        maximum=1,
    )
    fill: str = setting("texture", "choice", "Fill", "What hidden parts are filled with", choices=FILLS)
    fill_texture: float = setting(
        0.1,
        "float",
        "Fill Texture",
        "How much of the texture around them hidden parts get: little is nearest to the truth on the average, much is crisp but may show as copies. Grain goes on in any case",
        minimum=0,
        maximum=1,
    )
    fill_network: str = setting(
        "", "file", "Fill Network", "An inpainting network of your own (LaMa as ONNX) that fills hidden parts instead", flag="fill-network"
    )


@dataclass(frozen=True)
class ReliefSpec:
    """How the depth becomes a mesh."""

    strength: float = setting(1.0, "float", "Strength", "How deep the relief is: 0 is flat, 1 as measured", minimum=0, maximum=4)
    margin: float = setting(
        0.15,
        "float",
        "Margin",
        "How far the picture goes on past its border, mirrored, in shares of its longer side",
        minimum=0,
        maximum=0.5,
    )
    max_vertices: int = setting(
        1_000_000, "int", "Most Vertices", "A finer mesh follows the depth more closely and is slower", minimum=100, maximum=4_000_000
    )


@dataclass(frozen=True)
class MoveSpec:
    """What the camera does."""

    name: str = setting("push-in", "choice", "Move", "What the camera does", choices=MOVES, flag="move")
    amount: float | None = setting(
        1.0,
        "float",
        "Amount",
        "How far the camera moves; 1 suits most photos, negative goes the other way, and auto is the most that this photo allows",
        minimum=-10,
        maximum=10,
        optional=True,
    )
    flaws: float = setting(
        1.0,
        "float",
        "Flaws",
        "How much stretched, missing or made-up picture an amount that is worked out may show: less than 1 is stricter",
        minimum=0.05,
        maximum=20,
    )
    direction: float = setting(
        0.0,
        "float",
        "Direction",
        "Where the camera goes, in the picture: 0 is right, 90 up, 180 left",
        minimum=-360,
        maximum=360,
        unit="deg",
    )
    start_center: tuple[float, float] = setting(
        (0.5, 0.5),
        "pair",
        "Start Center",
        "Middle of the first view: from the left and from the top, in shares of the photo",
        minimum=0,
        maximum=1,
    )
    start_size: float = setting(
        1.0, "float", "Start Size", "Width of the first view, in shares of what the film shows of the photo", minimum=0.05, maximum=2
    )
    end_center: tuple[float, float] = setting((0.55, 0.45), "pair", "End Center", "Middle of the last view", minimum=0, maximum=1)
    end_size: float = setting(0.8, "float", "End Size", "Width of the last view", minimum=0.05, maximum=2)
    frames: int = setting(72, "int", "Frames", "Length of the film", minimum=1, maximum=1_000_000)
    seconds: float | None = setting(
        None, "float", "Seconds", "Length of the film in seconds, instead of frames", minimum=0.001, maximum=1_000_000
    )
    fps: float = setting(24.0, "float", "Frames per Second", "Speed of the film", minimum=1, maximum=240)
    ease: str = setting("in-out", "choice", "Easing", "How the move starts and ends", choices=EASES)
    curve: str = setting("sine", "choice", "Ease Curve", "How strongly it is eased: Blender's own kinds", choices=CURVES, flag="ease-curve")
    delay: int = setting(0, "int", "Delay", "Frames to wait before the move", minimum=0, maximum=1_000_000)
    hold: int = setting(0, "int", "Hold", "Frames to wait at its end", minimum=0, maximum=1_000_000)
    loop: bool = setting(False, "bool", "Loop", "Go there and back, so that the film repeats without a jump")
    reverse: bool = setting(False, "bool", "Reverse", "Play the move backwards")
    seed: int = setting(0, "int", "Seed", "Another number gives another sway", minimum=0, maximum=2_147_483_647)
    then: str = setting(
        "", "text", "Then", "Further moves, each with its frames and settings: orbit 48 amount=0.5 ease=in; truck 24 direction=90"
    )
    camera_path: str = setting("", "file", "Camera Path", "A JSON file of keyframes instead of a move", flag="camera-path")


_EASED = ("ease", "curve")
_MATTERS: dict[str, tuple[str, ...]] = {
    "static": (),
    **dict.fromkeys(("push-in", "pull-back", "pedestal", "tilt", "roll", "dolly-zoom", "zoom"), ("amount", *_EASED, "loop", "reverse")),
    **dict.fromkeys(("truck", "pan", "orbit", "arc", "spiral"), ("amount", "direction", *_EASED, "loop", "reverse")),
    "ken-burns": ("amount", "start_center", "start_size", "end_center", "end_size", *_EASED, "loop", "reverse"),
    "handheld": ("amount", "loop", "seed"),
    **dict.fromkeys(("swing", "circle"), ("amount", "direction", "reverse")),
}


def move_settings(name: str) -> tuple[str, ...]:
    """The fields of MoveSpec that matter to the move called `name`, apart from those of length, speed and chaining."""
    return (*_MATTERS[name], *(("delay", "hold") if _MATTERS[name] else ()))


def move_length(move: MoveSpec) -> int:
    """The frames of a move by itself, without those that come after it."""
    return move.frames if move.seconds is None else max(1, round(move.seconds * move.fps))


def move_parts(move: MoveSpec) -> tuple[MoveSpec, ...]:
    """The moves of a shot one after the other, the first with `then` taken away; all have their length in `frames`.

    Later moves take length and easing of the first unless they name their own. Raises UsageError, in one sentence.
    """
    first = replace(move, then="", frames=move_length(move), seconds=None)
    return (first, *(_part(first, text.strip()) for text in move.then.split(";") if text.strip()))


_ANSWERS = {"yes": True, "true": True, "on": True, "no": False, "false": False, "off": False}


def _part(first: MoveSpec, text: str) -> MoveSpec:
    name, *words = text.split()
    if name not in _MATTERS:
        raise UsageError(f"--then {text!r}: there is no move {name!r}; choose one of {', '.join(_MATTERS)}.")
    known = {flag(f): f for f in fields(MoveSpec) if f.name in (*move_settings(name), "frames", "seconds")}
    values: dict[str, Any] = {}
    for number, word in enumerate(words):
        key, equals, value = word.partition("=")
        if number == 0 and not equals and key[0].isdigit():
            key, equals, value = ("seconds", "=", key[:-1]) if key.endswith("s") else ("frames", "=", key)
        key = {"curve": "ease-curve"}.get(key, key.replace("_", "-"))
        if key not in known:
            raise UsageError(f"--then {text!r}: {key!r} is no setting of {name}; it has {', '.join(sorted(known))}.")
        f = known[key]
        try:
            values[f.name] = _typed(meta(f), value if equals else "yes")
        except ValueError as error:
            raise UsageError(f"--then {text!r}: {key} cannot be {value!r}; write for example {_example(f)}.") from error
        problem = _check(values[f.name], meta(f), key)
        if problem:
            raise UsageError(f"--then {text!r}: {problem.removeprefix('--')}")
    kept = {"name": name, "fps": first.fps, "frames": first.frames, "ease": first.ease, "curve": first.curve}
    part = MoveSpec(**{**kept, **values})
    return replace(part, frames=move_length(part), seconds=None)


def _typed(m: Meta, text: str) -> Any:
    """A word of a chain as the value of a setting. Raises ValueError."""
    if m.kind == "bool":
        if text.lower() not in _ANSWERS:
            raise ValueError(text)
        return _ANSWERS[text.lower()]
    if m.optional and text == "auto":
        return None
    if m.kind == "pair":
        return tuple(float(number) for number in text.split(","))
    return {"int": int, "float": float}.get(m.kind, str)(text)


def _example(f: Field) -> str:
    default = {"seconds": 2, "frames": 48}.get(f.name, f.default)
    shown = ",".join(f"{n:g}" for n in default) if isinstance(default, tuple) else "yes" if default is False else default
    return f"{flag(f)}={1 if shown is None else shown}"


def _check_move(move: MoveSpec) -> list[str]:
    """What is wrong with length, waiting and chaining of a move whose numbers are sound."""
    try:
        parts = move_parts(move)
    except UsageError as error:
        return [str(error)]
    errors = []
    for part in parts:
        whose = "" if len(parts) == 1 else f" of {part.name}"
        if part.delay + part.hold and part.frames - part.delay - part.hold < 2:
            errors.append(f"--delay {part.delay} and --hold {part.hold}{whose} leave no room for the move in its {part.frames} frames.")
        elif len(parts) > 1 and part.frames < 2:
            errors.append(f"--then: each move of a shot needs 2 frames or more, {part.name} has {part.frames}.")
    if sum(part.frames for part in parts) > 1_000_000:
        errors.append("--then: the moves have more than 1000000 frames together; shorten them.")
    return errors


STEADY: Choices = (
    ("auto", "Automatic", "Depth that was found frame by frame is made steady; distances in metres of your own are left as they are"),
    ("on", "On", "Flicker of the depth is taken out along the motion of the picture"),
    ("off", "Off", "The depth of every frame is taken as it comes"),
)


@dataclass(frozen=True)
class VideoSpec:
    """What counts only where a film comes in."""

    frames: int | None = setting(
        None, "int", "Film Frames", "How many frames of a film that comes in are used", minimum=1, maximum=1_000_000, flag="film-frames"
    )
    fps: float | None = setting(
        None, "float", "Film Speed", "Frames per second, where not those of the film that comes in", minimum=1, maximum=240, flag="film-fps"
    )
    steady: str = setting("auto", "choice", "Steady Depth", "Whether the depth of a film is smoothed over time", choices=STEADY)


@dataclass(frozen=True)
class RenderSpec:
    """How the frames are made."""

    engine: str = setting("auto", "choice", "Engine", "What renders the frames", choices=ENGINES)
    samples: int = setting(4, "int", "Samples", "More samples give smoother edges and take longer", minimum=1, maximum=65536)
    size: tuple[int, int] | None = setting(
        None,
        "size",
        "Size",
        "Width and height of the film, for example 1920x1080 or 1080p, 4K, 9:16, 1:1; the photo's own if left out",
        minimum=1,
        maximum=32768,
        unit="px",
    )
    crop: float = setting(
        0.0,
        "float",
        "Crop In",
        "How much less of the photo is shown on every side, in shares of the picture, so that the camera stays away from its border",
        minimum=0,
        maximum=0.4,
    )
    frame_range: str = setting(
        "", "text", "Frames to Render", "For example 1-10:2 or 1,5,9-12; all of them if left out", flag="frame-range"
    )


CODECS: Choices = (
    ("auto", "Automatic", "The usual one for the film's name: H.264 for .mp4 and .mkv, ProRes for .mov, VP9 for .webm"),
    ("h264", "H.264", "Plays everywhere"),
    ("h265", "H.265", "Smaller than H.264, 10 bits; plays on most newer devices"),
    ("prores", "ProRes", "For editing: 10 bits, large files; with alpha it is ProRes 4444"),
    ("vp9", "VP9", "For web pages; may have alpha"),
    ("av1", "AV1", "The smallest files, 10 bits; takes very long to encode"),
)
FRAMINGS: Choices = (
    ("subject", "Subject", "Where the film is of another shape than the photo, its subject stays in the picture"),
    ("middle", "Middle", "What sticks out of the film is cut off evenly"),
)
SIZES: dict[str, tuple[int, int]] = {
    "720p": (1280, 720), "1080p": (1920, 1080), "1440p": (2560, 1440), "4k": (3840, 2160),
    "16:9": (1920, 1080), "9:16": (1080, 1920), "1:1": (1080, 1080), "4:5": (1080, 1350),
}  # fmt: skip
"""By name: what `--size` knows besides numbers."""


@dataclass(frozen=True)
class FilmSpec:
    """What the film's file is like: format, quality, grain and sound."""

    codec: str = setting("auto", "choice", "Codec", "How a film is encoded", choices=CODECS)
    quality: int = setting(
        95,
        "int",
        "Quality",
        "Of films, JPEG and WebP: 100 is the best; 80 to 95 shows no loss, 50 is small. PNG and EXR lose nothing",
        minimum=0,
        maximum=100,
    )
    alpha: bool = setting(
        False,
        "bool",
        "Alpha",
        "Keep a film's see-through parts: ProRes 4444, VP9 and WebP can. PNG and EXR frames of such photos always do",
    )
    exr_layers: bool = setting(
        False, "bool", "EXR Layers", "Write depth and motion vectors into EXR frames, beside the picture (multilayer EXR)"
    )
    dither: bool = setting(
        True, "bool", "Dither", "Break up bands in smooth shading of 8-bit frames with fine noise; never where the photo is at rest"
    )
    framing: str = setting("subject", "choice", "Framing", "Which part of the photo a film of another shape shows", choices=FRAMINGS)
    grain: float = setting(
        0.0,
        "float",
        "Film Grain",
        "Take the photo's own grain out and give every frame fresh grain, which does not move with the surfaces: 1 is as much as the photo had",
        minimum=0,
        maximum=4,
    )
    grain_seed: int = setting(
        1, "int", "Grain Seed", "Another number gives other grain", minimum=0, maximum=2_147_483_647, flag="grain-seed"
    )
    audio: str = setting(
        "", "file", "Sound", "Music or ambience to lay under the film: WAV, MP3, OGG, FLAC or the sound of a film", flag="audio"
    )
    audio_volume: float = setting(1.0, "float", "Volume", "Loudness of the sound: 1 is as recorded", minimum=0, maximum=10)
    audio_fade_in: float = setting(0.0, "float", "Fade In", "Seconds in which the sound comes up", minimum=0, maximum=3600)
    audio_fade_out: float = setting(1.0, "float", "Fade Out", "Seconds in which the sound goes at the end", minimum=0, maximum=3600)
    audio_loop: bool = setting(True, "bool", "Repeat Sound", "Repeat a sound that is shorter than the film")


STEREO_MODES: Choices = (
    ("off", "Off", "One picture"),
    ("side-by-side", "Side by Side", "Both eyes beside each other, each in full size: for headsets and free viewing"),
    ("half-side-by-side", "Half Side by Side", "Both eyes beside each other, squeezed to the width of one: for 3D televisions"),
    ("top-bottom", "Top Bottom", "One eye above the other, each in full size"),
    ("half-top-bottom", "Half Top Bottom", "One eye above the other, squeezed to the height of one"),
    ("anaglyph", "Anaglyph", "For red and cyan glasses, red on the left"),
    ("vr180", "VR180", "The half sphere before the viewer, once for each eye: for headsets"),
    ("quilt", "Quilt", "Many views in one picture: for Looking Glass displays"),
)
EYES: Choices = (
    ("left", "Left", "The left eye comes first: on the left or on top"),
    ("right", "Right", "The right eye comes first: for viewing with crossed eyes"),
)
SURROUNDS: Choices = (
    ("black", "Black", "Nothing is around the photo"),
    ("blurred", "Blurred", "The photo goes on, mirrored and blurred"),
    ("mirrored", "Mirrored", "The photo goes on, mirrored at its edge"),
)


@dataclass(frozen=True)
class StereoSpec:
    """Pictures for two eyes or more, and films of the depth."""

    mode: str = setting("off", "choice", "Stereo", "How the views of a frame are put into one picture", choices=STEREO_MODES, flag="stereo")
    first: str = setting("left", "choice", "First Eye", "Which eye is on the left or on top", choices=EYES, flag="first-eye")
    interaxial: float | None = setting(
        None,
        "float",
        "Eye Distance",
        "How far the two cameras are apart; worked out so that it stays comfortable to look at if left out",
        minimum=0,
        maximum=1e5,
        unit="m",
    )
    convergence: float | None = setting(
        None,
        "float",
        "Screen Distance",
        "What is this far away appears at the distance of the screen, nearer things before it; the subject if left out",
        minimum=1e-3,
        maximum=1e7,
        unit="m",
    )
    surround: str = setting(
        "blurred", "choice", "Surroundings", "What is around the photo in VR180, where it fills only a part of the view", choices=SURROUNDS
    )
    quilt: tuple[int, int] = setting(
        (8, 6), "size", "Quilt Views", "Columns and rows of a quilt, for example 8x6; see the display's papers", minimum=1, maximum=32
    )
    cone: float | None = setting(
        None,
        "float",
        "View Cone",
        "Angle from the first view of a quilt to the last, as seen from the subject; up to 35 degrees, as far as the photo allows, if left out",
        minimum=0,
        maximum=90,
        unit="deg",
        flag="view-cone",
    )
    depth: bool = setting(False, "bool", "Depth Film", "Render the depth in grey, near white, instead of the picture", flag="depth-film")


LAMPS: Choices = (
    ("none", "None", "No lamp of ours: lamps of your own, or the photo's own light"),
    ("sun", "Sun", "Parallel light with clear shadows"),
    ("area", "Area", "A soft box near the subject"),
    ("window", "Window", "A tall window beside the subject: very soft, a little cool"),
)


@dataclass(frozen=True)
class FocusSpec:
    """What the camera aims at and how deep the picture is sharp."""

    at: tuple[float, float] | None = setting(
        None,
        "point",
        "Focus",
        "The point to aim at: from the left and from the top, in shares of the photo; found if left out: a face, else what stands out, else the middle",
        minimum=0,
        maximum=1,
        flag="focus",
    )
    f_stop: float | None = setting(
        None,
        "float",
        "F-Stop",
        "Blur what is out of focus as a full-frame camera does: 1.4 to 2.8 blurs much, 8 little; everything is sharp if left out",
        minimum=0.1,
        maximum=128,
    )
    motion_blur: float = setting(
        0.0,
        "float",
        "Motion Blur",
        "How long the shutter is open, as a share of the time between two frames: 0.5 is usual in films, 0 is off",
        minimum=0,
        maximum=1,
    )


@dataclass(frozen=True)
class LightSpec:
    """Light other than the photo's own."""

    relight: float | None = setting(
        None,
        "float",
        "Relight",
        "0 shows the photo as shot, 1 a surface that only the lamps and the fill light show; 0.7 with a lamp and 0 without if left out",
        minimum=0,
        maximum=1,
    )
    lamp: str = setting(
        "none", "choice", "Light", "A lamp that is added to the scene, with shadows from the relief", choices=LAMPS, flag="light"
    )
    side: float = setting(
        -50.0,
        "float",
        "Light From",
        "Where the lamp stands: 0 behind the camera, -90 at the left, 90 at the right",
        minimum=-180,
        maximum=180,
        unit="deg",
        flag="light-side",
    )
    height: float = setting(
        35.0, "float", "Light Height", "How far above the subject the lamp stands", minimum=-90, maximum=90, unit="deg", flag="light-height"
    )
    strength: float = setting(
        1.0,
        "float",
        "Light Strength",
        "1 shows what faces the lamp as bright as the photo",
        minimum=0,
        maximum=100,
        flag="light-strength",
    )
    warmth: float = setting(
        0.0,
        "float",
        "Warmth",
        "Color of the lamp: 1 is candle light, -1 blue sky, 0 as the photo",
        minimum=-1,
        maximum=1,
        flag="light-warmth",
    )
    fill: float = setting(
        0.35, "float", "Fill Light", "Light in the shadows, as a share of the photo's own", minimum=0, maximum=1, flag="fill-light"
    )
    haze: float = setting(
        0.0,
        "float",
        "Haze",
        "Haze that grows with the distance: 1 hides 63 % of the subject and more of what is behind it",
        minimum=0,
        maximum=10,
    )
    haze_colour: tuple[float, float, float] = setting(
        (0.8, 0.84, 0.88), "colour", "Haze Color", "Color of the haze, as #rrggbb", minimum=0, maximum=1, flag="haze-color"
    )
    vignette: float = setting(0.0, "float", "Vignette", "How much darker the corners of the picture are", minimum=0, maximum=1)


RIGS: Choices = (
    ("none", "None", "Nobody in the photo moves"),
    ("face", "Face", "Every face that is found, or placed by hand, gets bones and sliders; needs the right to animate these people"),
    ("body", "Body", "The bodies, too, as far as the photo shows them"),
)


@dataclass(frozen=True)
class RigSpec:
    """People in the photo, and what they do."""

    kind: str = setting("none", "choice", "Rig", "Which people of the photo can be animated", choices=RIGS, flag="rig")
    action: str = setting(
        "",
        "text",
        "Action",
        "What rigged people do: blink, nod, slow-smile ..., one after the other (nod; blink) or at once (talk + breathe); or a CSV file of a face capture",
    )
    amount: float = setting(
        1.0,
        "float",
        "Action Amount",
        "How strongly they do it: 1 is natural; the bones' limits hold in any case",
        minimum=0,
        maximum=4,
        flag="action-amount",
    )
    seed: int = setting(
        0,
        "int",
        "Action Seed",
        "Another number gives other times for blinks and the like",
        minimum=0,
        maximum=2_147_483_647,
        flag="action-seed",
    )
    voice: str = setting("", "file", "Voice", "The sound that a talking mouth follows; the film's own sound if left out")
    landmarks: str = setting(
        "", "file", "Landmarks", "Where faces and joints are: a JSON file that the landmarks command or the Subject panel has written"
    )
    face_network: str = setting(
        "",
        "file",
        "Face Network",
        "A landmark network of your own that finds the points of faces: MediaPipe's face_landmarker.task or face_landmark.tflite",
        flag="face-network",
    )
    face_detector: str = setting(
        "",
        "file",
        "Face Detector",
        "A network of your own that finds faces: MediaPipe's face_detection_short_range.tflite, or YuNet as ONNX",
        flag="face-detector",
    )
    pose_network: str = setting(
        "",
        "file",
        "Pose Network",
        "A network of your own that finds the joints of bodies: MediaPipe's pose_landmarker.task",
        flag="pose-network",
    )


@dataclass(frozen=True)
class MachineSpec:
    """Settings of this machine, which do not change what the picture shows."""

    device: str = setting("auto", "choice", "Device", "What computes the frames", choices=DEVICES)
    worker_python: str = setting(
        "",
        "file",
        "Python for Networks",
        "The Python program of an environment of your own with torch, in which the large depth networks run",
    )
    network_device: str = setting("auto", "choice", "Network Device", "What the large depth networks run on", choices=NETWORK_DEVICES)
    models: str = setting("", "folder", "Models Folder", "Where downloaded networks are kept; a folder of your user account if left out")
    offline: bool = setting(False, "bool", "Offline", "Never download anything")
    patience: int = setting(
        600, "int", "Patience", "Seconds without a sign of life after which work beside Blender is given up", minimum=5, maximum=86400
    )


@dataclass(frozen=True)
class SceneSpec:
    """Everything that decides the scene and its frames, apart from the photo's own pixels."""

    photo: PhotoSpec = field(default_factory=PhotoSpec)
    depth: DepthSpec = field(default_factory=DepthSpec)
    layers: LayersSpec = field(default_factory=LayersSpec)
    relief: ReliefSpec = field(default_factory=ReliefSpec)
    move: MoveSpec = field(default_factory=MoveSpec)
    focus: FocusSpec = field(default_factory=FocusSpec)
    light: LightSpec = field(default_factory=LightSpec)
    video: VideoSpec = field(default_factory=VideoSpec)
    render: RenderSpec = field(default_factory=RenderSpec)
    film: FilmSpec = field(default_factory=FilmSpec)
    stereo: StereoSpec = field(default_factory=StereoSpec)
    rig: RigSpec = field(default_factory=RigSpec)
    machine: MachineSpec = field(default_factory=MachineSpec)

    def to_json(self) -> str:
        """The settings as a JSON document that `from_json` reads back equal."""
        return json.dumps({"schema": SCHEMA, **asdict(self)}, indent=2) + "\n"


def sections(spec: type[SceneSpec] | SceneSpec = SceneSpec) -> Iterator[tuple[str, type]]:
    """Yield (name, dataclass) of every section in order."""
    for f in fields(spec):
        yield f.name, type(f.default_factory()) if f.default_factory is not MISSING else type(getattr(spec, f.name))


def meta(f: Field) -> Meta:
    """The description of one setting."""
    return f.metadata["setting"]


def flag(f: Field) -> str:
    """The setting's name on the command line, without the dashes."""
    return meta(f).flag or f.name.replace("_", "-")


def validate(spec: SceneSpec) -> list[str]:
    """Return every error in `spec`, each one sentence; an empty list means that it can be used."""
    errors: list[str] = []
    for name, cls in sections():
        section = getattr(spec, name)
        for f in fields(cls):
            error = _check(getattr(section, f.name), meta(f), flag(f))
            if error:
                errors.append(error)
    near, far = spec.depth.near, spec.depth.far
    if not errors and near is not None and far is not None and near >= far:
        errors.append(f"--near {near:g} must be smaller than --far {far:g}.")
    if not errors:
        errors += _check_move(spec.move)
    if spec.rig.action and spec.rig.kind == "none":
        errors.append("--action moves people who are rigged; add --rig face or --rig body.")
    if spec.depth.known_size is not None and (near is not None or far is not None):
        errors.append("--known-size sets the distances itself; leave out --near and --far.")
    return errors


def check(spec: SceneSpec) -> SceneSpec:
    """Return `spec`; raise UsageError with every error that it has."""
    errors = validate(spec)
    if errors:
        raise UsageError(" ".join(errors))
    return spec


def _check(value: Any, m: Meta, name: str) -> str | None:
    if value is None:
        return None if m.optional else f"--{name} needs a value."
    if m.kind in ("float", "int"):
        numbers: tuple[Any, ...] = (value,)
    elif m.kind == "colour":
        if not isinstance(value, (tuple, list)) or len(value) != 3:
            return f"--{name} needs three numbers."
        numbers = tuple(value)
    elif m.kind in ("size", "pair", "point"):
        if not isinstance(value, (tuple, list)) or len(value) != 2:
            return f"--{name} needs two numbers."
        numbers = tuple(value)
    elif m.kind == "bool":
        return None if isinstance(value, bool) else f"--{name} is either true or false."
    elif m.kind == "choice":
        known = [c[0] for c in m.choices]
        return None if value in known else f"--{name} {value!r} is not known: choose one of {', '.join(known)}."
    else:
        return None if isinstance(value, str) else f"--{name} needs a text."
    for n in numbers:
        if isinstance(n, bool) or not isinstance(n, (int, float)) or not math.isfinite(n):
            return f"--{name} needs a number, not {n!r}."
        if m.kind in ("int", "size") and int(n) != n:
            return f"--{name} needs a whole number, not {n!r}."
        if (m.minimum is not None and n < m.minimum) or (m.maximum is not None and n > m.maximum):
            return f"--{name} {n:g} is out of range: it goes from {m.minimum:g} to {m.maximum:g}."
    return None


def from_mapping(data: Mapping[str, Any], *, source: str = "settings") -> SceneSpec:
    """Build a SceneSpec from a nested mapping, missing entries taking their defaults.

    Raises InputError, with every unknown name in one sentence, if the mapping is not of this form.
    """
    unknown: list[str] = []
    built: dict[str, Any] = {}
    schema = data.get("schema", SCHEMA)
    if schema != SCHEMA:
        raise InputError(
            f"{source}: it was written by another version of Stillscape (schema {schema!r}, this one reads {SCHEMA}); write it again with --write-spec."
        )
    known_sections = dict(sections())
    for name, values in data.items():
        if name == "schema":
            continue
        cls = known_sections.get(name)
        if cls is None:
            unknown.append(name)
            continue
        if not isinstance(values, Mapping):
            raise InputError(f"{source}: {name!r} must hold settings by name; write a fresh file with --write-spec.")
        names = {f.name for f in fields(cls)}
        unknown += [f"{name}.{key}" for key in values if key not in names]
        built[name] = cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items() if k in names})
    if unknown:
        raise InputError(f"{source}: unknown setting {', '.join(unknown)}; see --help for the names.")
    return SceneSpec(**built)


def read_spec(path: Path) -> SceneSpec:
    """Read a settings file. Raises InputError if it is missing or not of this form."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: the settings file cannot be read ({error.strerror or error}); check the name.") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: the settings file is not valid JSON ({error}); write a fresh one with --write-spec.") from error
    if not isinstance(data, dict):
        raise InputError(f"{path}: the settings file must hold a JSON object; write a fresh one with --write-spec.")
    return from_mapping(data, source=str(path))


def override(spec: SceneSpec, values: Mapping[str, Mapping[str, Any]]) -> SceneSpec:
    """Return `spec` with the given {section: {field: value}} replaced."""
    return replace(spec, **{name: replace(getattr(spec, name), **given) for name, given in values.items() if given})


__all__ = [
    "CURVES", "DEPTH_KINDS", "DEVICES", "EASES", "ENGINES", "FILLS", "FocusSpec", "LAMPS", "LAYERINGS", "LightSpec", "MOVES", "NETWORK_DEVICES", "SCHEMA", "Choices", "DepthSpec", "LayersSpec",
    "MachineSpec", "Meta",
    "EYES", "MoveSpec", "PhotoSpec", "ReliefSpec", "RIGS", "RenderSpec", "RigSpec", "STEADY", "STEREO_MODES", "SURROUNDS", "SceneSpec", "StereoSpec", "VideoSpec", "check", "flag", "from_mapping",
    "meta", "move_length", "move_parts", "move_settings", "override", "read_spec", "sections", "validate",
    "CODECS", "FRAMINGS", "FilmSpec", "SIZES",
]  # fmt: skip
