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
    return field(default=default, metadata={"setting": Meta(kind, label, help, optional=default is None, **more)})


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
    ("push-in", "Push In", "Move towards the subject"),
    ("truck", "Truck", "Move sideways, looking straight on"),
    ("orbit", "Orbit", "Swing sideways around the subject, keeping it in the middle"),
)
EASES: Choices = (
    ("linear", "Linear", "The same speed throughout"),
    ("in", "Ease In", "Start slowly"),
    ("out", "Ease Out", "End slowly"),
    ("in-out", "Ease In and Out", "Start and end slowly"),
)
ENGINES: Choices = (
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
    reserve: float = setting(
        0.08,
        "float",
        "Reserve",
        "How far layers go on behind each other and past the border, in shares of the photo's width: room for the camera to move",
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
    amount: float = setting(
        1.0, "float", "Amount", "How far the camera moves; 1 suits most photos, negative goes the other way", minimum=-10, maximum=10
    )
    frames: int = setting(72, "int", "Frames", "Length of the film", minimum=1, maximum=1_000_000)
    fps: float = setting(24.0, "float", "Frames per Second", "Speed of the film", minimum=1, maximum=240)
    ease: str = setting("in-out", "choice", "Easing", "How the move starts and ends", choices=EASES)
    loop: bool = setting(False, "bool", "Loop", "Go there and back, so that the film repeats without a jump")
    camera_path: str = setting("", "file", "Camera Path", "A JSON file of keyframes instead of a move", flag="camera-path")


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

    engine: str = setting("cycles", "choice", "Engine", "What renders the frames", choices=ENGINES)
    samples: int = setting(4, "int", "Samples", "More samples give smoother edges and take longer", minimum=1, maximum=65536)
    size: tuple[int, int] | None = setting(
        None,
        "size",
        "Size",
        "Width and height of the film, for example 1920x1080; the photo's own if left out",
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
    video: VideoSpec = field(default_factory=VideoSpec)
    render: RenderSpec = field(default_factory=RenderSpec)
    focus: FocusSpec = field(default_factory=FocusSpec)
    light: LightSpec = field(default_factory=LightSpec)
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
    "DEPTH_KINDS", "DEVICES", "EASES", "ENGINES", "FILLS", "FocusSpec", "LAMPS", "LAYERINGS", "LightSpec", "MOVES", "NETWORK_DEVICES", "SCHEMA", "Choices", "DepthSpec", "LayersSpec",
    "MachineSpec", "Meta",
    "MoveSpec", "PhotoSpec", "ReliefSpec", "RenderSpec", "STEADY", "SceneSpec", "VideoSpec", "check", "flag", "from_mapping",
    "meta", "override", "read_spec", "sections", "validate",
]  # fmt: skip
