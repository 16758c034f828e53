"""Measure the landmark network: on rendered heads that it has not learnt from, and on faces in photos with points placed by hand.

    python -m training.score_heads [--network landmarks.onnx] [--photos FOLDER ...] [--data DIR] [--sheet SHEET.png]

The photos are those of portraits.json: they come with Python packages, and are looked for in the installed ones and, unpacked or as
wheels and source archives, in the folders given; a file counts only if its sha256 is right, and those not found are named. Errors are in per
cent of the distance of the pupils placed by hand. Each face is found by `faces.find_faces` in the whole photo and in variants of it: cropped,
mirrored, turned by 15 degrees to either side, made darker, lighter and lit from a side. "on edges" is what the add-on makes of the same faces:
points moved to the edges beside them. The last
table is the network's alone on all of them, from boxes about the faces that are off by a tenth. --sheet draws what it found.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import sys
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from addon.errors import InputError, StillscapeError
from addon.vision.face_network import DOWN, FILE, REACH, LandmarkNetwork, Window, load
from addon.vision.faces import EYES, HALF_HEIGHT, HALF_WIDTH, Eye, Face, find_faces
from addon.vision.files import shown
from addon.vision.landmarks import MIRROR
from addon.vision.subject import on_edges_of_photo

PORTRAITS = Path(__file__).with_name("portraits.json")
EYE_POINTS = ("36", "39", "42", "45", "37+38", "40+41", "43+44", "46+47", "68", "69")
MOUTH_POINTS, CHIN_POINTS = ("48", "54"), ("8",)
LIDS = {"37+38": (36, 37, 38, 39), "40+41": (36, 41, 40, 39), "43+44": (42, 43, 44, 45), "46+47": (42, 47, 46, 45)}
_ACROSS = tuple(f"{key} across" if key in LIDS else key for key in EYE_POINTS)
GROUPS = {
    "eyes": EYE_POINTS,
    "eyes, lids across": _ACROSS,
    "corners": EYE_POINTS[:4],
    "pupils": EYE_POINTS[-2:],
    "mouth": MOUTH_POINTS,
    "chin": CHIN_POINTS,
    "lips": ("51", "57", "62", "66"),
    "nose": ("30",),
}

Bytes = NDArray[np.uint8]
Points = NDArray[np.float64]


class Portrait(NamedTuple):
    """A face placed by hand. points: key of portraits.json to a place in pixels of `colour`, uint8 H×W×3 sRGB."""

    name: str
    colour: Bytes
    points: dict[str, Points]

    @property
    def unit(self) -> float:
        """Pixels between the pupils, or, where they are hidden, between the middles of the eyes' corners."""
        p = self.points
        if "68" in p and "69" in p:
            return float(np.linalg.norm(p["69"] - p["68"]))
        return float(np.linalg.norm((p["42"] + p["45"]) / 2 - (p["36"] + p["39"]) / 2))


# Finding the photos ------------------------------------------------------------------------------------------------------


def photo(entry: dict[str, Any], folders: list[Path]) -> bytes | None:
    """The bytes of an entry's file from an installed package or a folder, or None where it is not."""
    for data in _candidates(entry, folders):
        if hashlib.sha256(data).hexdigest() == entry["sha256"]:
            return data
    return None


def _installed(entry: dict[str, Any]) -> Path | None:
    """Where the file of an installed package would be, or None if the package is not installed."""
    try:
        return Path(str(metadata.distribution(entry["package"]).locate_file(entry["file"])))
    except metadata.PackageNotFoundError:
        return None


def _candidates(entry: dict[str, Any], folders: list[Path]) -> Iterator[bytes]:
    inside = entry["file"]
    installed = _installed(entry)
    if installed is not None and installed.is_file():
        yield installed.read_bytes()
    package = entry["package"].replace("-", "_")
    for folder in folders:
        for found in folder.rglob(Path(inside).name):
            if found.is_file():
                yield found.read_bytes()
        for archive in folder.rglob(f"*{package[1:]}*"):
            if archive.suffix == ".whl":
                with zipfile.ZipFile(archive) as pack:
                    yield from (pack.read(n) for n in pack.namelist() if n.endswith(inside))
            elif archive.name.endswith(".tar.gz"):
                with tarfile.open(archive) as pack:
                    for member in pack.getmembers():
                        file = pack.extractfile(member) if member.name.endswith(inside) else None
                        if file is not None:
                            yield file.read()


def portraits(folders: list[Path]) -> tuple[list[Portrait], list[str]]:
    """The faces of portraits.json whose photos are there, and the names of those whose photos are not."""
    found, missing = [], []
    pictures: dict[str, Bytes | None] = {}
    for entry in json.loads(PORTRAITS.read_text(encoding="utf-8"))["faces"]:
        key = entry["sha256"]
        if key not in pictures:
            data = photo(entry, folders)
            picture = None if data is None else cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
            pictures[key] = None if picture is None else np.ascontiguousarray(picture[..., ::-1])
        colour = pictures[key]
        if colour is None:
            missing.append(f"{entry['name']} ({entry['package']} {entry['version']}: {entry['file']})")
        else:
            found.append(Portrait(entry["name"], colour, {k: np.array(p, np.float64) for k, p in entry["points"].items()}))
    return found, missing


# Variants ----------------------------------------------------------------------------------------------------------------


def moved(p: Portrait, name: str, matrix: Points, size: tuple[int, int]) -> Portrait:
    """A portrait through an affine map (2×3, pixels to pixels), `size` (width, height) large."""
    middles = matrix.copy()
    middles[:, 2] += matrix[:, :2] @ np.array([0.5, 0.5]) - 0.5
    colour = cv2.warpAffine(p.colour, middles, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return Portrait(name, np.asarray(colour), {k: matrix[:, :2] @ at + matrix[:, 2] for k, at in p.points.items()})


def mirrored(p: Portrait) -> Portrait:
    """Seen in a mirror, left and right exchanged."""
    width = p.colour.shape[1]
    points = {
        "+".join(sorted((str(MIRROR[int(i)]) for i in key.split("+")), key=int)): np.array([width - at[0], at[1]])
        for key, at in p.points.items()
    }
    return Portrait("mirrored", np.ascontiguousarray(p.colour[:, ::-1]), points)


def turned(p: Portrait, degrees: float) -> Portrait:
    """Turned clockwise about the face."""
    middle = np.mean(list(p.points.values()), 0)
    a = math.radians(degrees)
    turn = np.array([[math.cos(a), -math.sin(a)], [math.sin(a), math.cos(a)]])
    height, width = p.colour.shape[:2]
    return moved(p, f"turned {degrees:+.0f}°", np.column_stack([turn, middle - turn @ middle]), (width, height))


def cropped(p: Portrait, across: float) -> Portrait:
    """A square of so many eye distances about the face."""
    middle, half = np.mean(list(p.points.values()), 0), across * p.unit / 2
    size = round(2 * half)
    return moved(p, "cropped", np.column_stack([np.eye(2), half - middle]), (size, size))


def lit(p: Portrait, name: str, gamma: float, slope: float) -> Portrait:
    """With another gamma, and with light that falls off across the face by a factor exp(slope) for four eye distances."""
    middle = np.mean(list(p.points.values()), 0)
    x = (np.arange(p.colour.shape[1]) - middle[0]) / (4 * p.unit)
    gain = np.exp(np.clip(slope * x, -3, 3))[None, :, None]
    values = np.clip((p.colour / 255.0) ** (gamma * 2.2) * gain, 0, 1) ** (1 / 2.2)
    return p._replace(name=name, colour=(values * 255 + 0.5).astype(np.uint8))


VARIANTS: dict[str, Callable[[Portrait], Portrait]] = {
    "as it is": lambda p: p,
    "mirrored": mirrored,
    "cropped": lambda p: cropped(p, 6.0),
    "turned -15": lambda p: turned(p, -15),
    "turned +15": lambda p: turned(p, 15),
    "darker": lambda p: lit(p, "darker", 1.6, 0.0),
    "lighter": lambda p: lit(p, "lighter", 0.6, 0.0),
    "from the left": lambda p: lit(p, "from the left", 1.0, -2.5),
    "from the right": lambda p: lit(p, "from the right", 1.0, 2.5),
}


# Measuring ---------------------------------------------------------------------------------------------------------------


def nearest_face(p: Portrait) -> Face | None:
    """The face that the cascades find where the portrait's is."""
    height, width = p.colour.shape[:2]
    middle = np.mean([p.points[k] for k in ("36", "39", "42", "45") if k in p.points], 0)
    best, least = None, 1.5 * p.unit
    for face in find_faces(p.colour):
        at = np.array([face.x * width, face.y * height]) - [0, 0.4 * p.unit]
        distance = float(np.linalg.norm(at - middle))
        if distance < least and 0.4 < face.half_width * width * EYES / HALF_WIDTH / p.unit < 2.5:
            best, least = face, distance
    return best


def assumed_face(p: Portrait, random: np.random.Generator) -> Face:
    """A face about where it is, as a finder of faces might give it: places off by a tenth of the eye distance, size by a tenth."""
    height, width = p.colour.shape[:2]
    right = np.mean([p.points[k] for k in ("36", "39") if k in p.points], 0)
    left = np.mean([p.points[k] for k in ("42", "45") if k in p.points], 0)
    a, b = (e + random.normal(0, 0.07 * p.unit, 2) for e in (right, left))
    metre = float(np.linalg.norm(b - a)) / EYES
    eyes = Eye(a[0] / width, a[1] / height), Eye(b[0] / width, b[1] / height)
    middle = (a + b) / 2
    tilt = math.atan2(b[1] - a[1], b[0] - a[0])
    return Face(middle[0] / width, middle[1] / height, HALF_WIDTH * metre / width, HALF_HEIGHT * metre / height, tilt, eyes)


def errors(p: Portrait, found: Points) -> dict[str, float]:
    """Per cent of the eye distance for each point placed by hand. found: 70×2 in pixels.

    The middles of the lids were placed above and below the pupils, which is not always the middle between the two landmarks; "... across" is
    how far they lie from the lid, a cubic through its four landmarks.
    """
    result = {key: float(np.linalg.norm(found[[int(i) for i in key.split("+")]].mean(0) - at)) for key, at in p.points.items()}
    t = np.linspace(0, 1, 61)
    for key, ids in LIDS.items():
        if key in p.points:
            line = np.stack([np.polyval(np.polyfit([0, 1 / 3, 2 / 3, 1], found[list(ids), k], 3), t) for k in (0, 1)], 1)
            result[f"{key} across"] = float(np.linalg.norm(line - p.points[key], axis=1).min())
    return {key: 100 * value / p.unit for key, value in result.items()}


def grouped(rows: list[dict[str, float]]) -> dict[str, float]:
    """Means over all points of a group in all rows; NaN for none."""
    result = {}
    for name, keys in GROUPS.items():
        values = [row[k] for row in rows for k in keys if k in row]
        result[name] = float(np.mean(values)) if values else math.nan
    return result


def score_photos(network: LandmarkNetwork, faces: list[Portrait], variants: list[str]) -> dict[str, Any]:
    """Errors per face and variant: of those that the cascades find, the network's own and with points on the edges of the photo, and of all
    from an assumed place."""
    random = np.random.default_rng(0)
    result: dict[str, Any] = {"found": {}, "on edges": {}, "assumed": {}, "missed": []}
    for p in faces:
        for variant in variants:
            q = VARIANTS[variant](p)
            size = q.colour.shape[1], q.colour.shape[0]
            face = nearest_face(q)
            if face is None:
                result["missed"].append((p.name, variant))
            else:
                points = network.find(q.colour, face)
                result["found"].setdefault(p.name, {})[variant] = errors(q, points.pixels(size))
                result["on edges"].setdefault(p.name, {})[variant] = errors(q, on_edges_of_photo(q.colour, points).pixels(size))
            result["assumed"].setdefault(p.name, {})[variant] = errors(q, network.find(q.colour, assumed_face(q, random)).pixels(size))
    return result


def score_rendered(network: LandmarkNetwork, data: Path, most: int) -> dict[str, float]:
    """Errors in per cent of the (frontal) eye distance on rendered heads held out, one look at each, off as the cascades are; what is outside does not count."""
    from .heads_data import Samples, find

    samples = Samples(find(data, held_out=True), 7, length=most, plain=True)
    samples.length = min(most, len(samples.views))
    rows = []
    for i in range(samples.length):
        picture, points, unit = samples[i]
        colour = np.ascontiguousarray(picture.numpy().transpose(1, 2, 0))
        side = colour.shape[0]
        window = Window(side / 2, side * (0.5 - DOWN / REACH), side / REACH, 0.0)
        found, _ = network.look(colour, window)
        distance = 100 * np.linalg.norm(found / side - points.numpy(), axis=1) / float(unit)
        inside = ((points > 0) & (points < 1)).all(1).numpy()
        rows.append(np.where(inside, distance, np.nan))
    d = np.array(rows)
    groups = {"eyes": (*range(36, 48), 68, 69), "mouth": (48, 54), "chin": (8,), "all": range(70)}
    return {name: float(np.nanmean(d[:, list(ids)])) for name, ids in groups.items()}


def drawn(p: Portrait, found: Points, side: int = 360) -> Bytes:
    """The face with the network's points (green) and those placed by hand (red)."""
    middle, k = np.mean([p.points[i] for i in ("36", "39", "42", "45") if i in p.points], 0), side / (4.2 * p.unit)
    at = np.array([side / 2, side * 0.36]) - k * middle
    q = moved(p, p.name, np.array([[k, 0, at[0]], [0, k, at[1]]]), (side, side))
    picture = np.ascontiguousarray(q.colour)
    for x, y in found * k + at:
        cv2.circle(picture, (round(float(x) * 8), round(float(y) * 8)), 16, (0, 255, 0), -1, cv2.LINE_AA, 3)
    for x, y in q.points.values():
        cv2.circle(picture, (round(float(x) * 8), round(float(y) * 8)), 16, (255, 0, 0), 1, cv2.LINE_AA, 3)
    cv2.putText(picture, p.name, (4, side - 8), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255, 255, 0), 1, cv2.LINE_AA)
    return picture


def sheet(path: Path, network: LandmarkNetwork, faces: list[Portrait]) -> None:
    random, cells = np.random.default_rng(0), []
    for p in faces:
        face = nearest_face(p)
        name = p.name if face is not None else f"{p.name} (box assumed)"
        found = network.find(p.colour, face or assumed_face(p, random)).pixels((p.colour.shape[1], p.colour.shape[0]))
        cells.append(drawn(p._replace(name=name), found))
    cells += [np.zeros_like(cells[0])] * (-len(cells) % 6)
    cv2.imwrite(str(path), np.concatenate([np.concatenate(cells[i : i + 6], 1) for i in range(0, len(cells), 6)])[..., ::-1])


def row(name: str, values: dict[str, float]) -> str:
    return f"| {name} | " + " | ".join("" if math.isnan(values[g]) else f"{values[g]:.1f}" for g in GROUPS) + " |"


def main() -> int:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--network", type=Path, default=FILE, help="the network's file; the add-on's own if none is named")
    ask.add_argument("--photos", type=Path, nargs="*", default=[], help="folders with the packages' files, unpacked or not")
    ask.add_argument("--data", type=Path, help="folder of training.heads: also score on the scenes held out")
    ask.add_argument("--plain", action="store_true", help="only the photos as they are")
    ask.add_argument("--sheet", type=Path, help="draw what was found")
    given = ask.parse_args()
    try:
        network = load(given.network)
        faces, missing = portraits(given.photos)
        if not faces:
            raise InputError(f"{shown(PORTRAITS)}: none of its photos is here; give --photos folders that hold the packages it names.")
        if given.data:
            print("rendered heads held out:", {k: round(v, 2) for k, v in score_rendered(network, given.data, 400).items()})
        scored = score_photos(network, faces, ["as it is"] if given.plain else list(VARIANTS))
    except StillscapeError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    print(f"{len(faces)} faces in photos; not here: {', '.join(missing) or 'none'}")
    for kind in ("found", "on edges", "assumed"):
        print(f"\n| {kind} | " + " | ".join(GROUPS) + " |\n|---" + "|---" * len(GROUPS) + "|")
        for name, variants in scored[kind].items():
            print(row(f"{name} ({len(variants)})", grouped(list(variants.values()))))
        everything = [v for variants in scored[kind].values() for v in variants.values()]
        print(row(f"all ({len(everything)})", grouped(everything)))
        plain = [variants["as it is"] for variants in scored[kind].values() if "as it is" in variants]
        print(row(f"as they are ({len(plain)})", grouped(plain)))
    print(f"\nnot found by the cascades: {len(scored['missed'])} of {len(faces) * (1 if given.plain else len(VARIANTS))}")
    if given.sheet:
        sheet(given.sheet, network, faces)
    return 0


if __name__ == "__main__":
    sys.exit(main())
