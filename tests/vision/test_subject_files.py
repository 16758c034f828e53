"""Networks that a user brings: files are looked through, run by OpenCV and decoded. The files here are made by the tests and only take and
give what MediaPipe's and YuNet's do: what they find is a patch of red."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from addon.errors import InputError
from addon.vision.joints import joints_of_pose
from addon.vision.landmarks import COUNT, JAW, LEFT_EYE, LEFT_PUPIL, MIRROR, NOSE_TIP, RIGHT_EYE, RIGHT_PUPIL
from addon.vision.mediapipe import (
    FROM_MEDIAPIPE,
    Box,
    Square,
    anchors,
    body_points,
    body_square,
    detect,
    face_points,
    face_square,
    open_files,
    suppressed,
)
from addon.vision.tflite import read_parts, read_signature
from addon.vision.yunet import detect_five
from tests.vision import onnx_bytes, tflite_bytes  # type: ignore[import-not-found]

SIZE = 400, 300
KEYS = np.array(((-10, -8), (10, -8), (0, 2), (0, 12), (-20, -4), (20, -4)), float)
"""A detector's six points beside the middle of what it finds, in pixels of its picture: eyes, nose, mouth, ears."""


def written(folder: Path, name: str, content: bytes) -> Path:
    (folder / name).write_bytes(content)
    return folder / name


def with_patch(x: int, y: int, half: int = 14) -> np.ndarray:
    colour = np.full((SIZE[1], SIZE[0], 3), 60, np.uint8)
    colour[y - half : y + half, x - half : x + half] = (255, 0, 0)
    return colour


# Files ---------------------------------------------------------------------------------------------------------------------


def test_a_file_tells_what_it_takes_and_gives(tmp_path: Path) -> None:
    found = read_signature(tflite_bytes.detector(), "file")
    assert found.side == 128 and found.counts == (896 * 16, 896) and found.custom == ()
    assert [o.name for o in found.outputs] == ["regressors", "classificators"]
    packed = tflite_bytes.archive(
        face_detector=tflite_bytes.detector(), face_landmarks_detector=tflite_bytes.constant_points(np.zeros(1434))
    )
    parts, refused = read_parts(written(tmp_path, "face_landmarker.task", packed))
    assert refused == [] and [p.signature.side for p in parts] == [128, 192]
    networks = open_files([tmp_path / "face_landmarker.task", None])
    assert networks.faces is not None and networks.face_points is not None and networks.bodies is None and networks.body_points is None


def test_an_archive_as_mediapipe_packs_it(tmp_path: Path) -> None:
    """Zeros before the archive align its networks; one of them is for something that OpenCV cannot run."""
    packed = tflite_bytes.archive(
        face_blendshapes=tflite_bytes.constant_points(np.zeros(1434))[:3000],
        face_detector=tflite_bytes.detector(),
        face_landmarks_detector=tflite_bytes.constant_points(np.zeros(1434)),
    )
    networks = open_files([written(tmp_path, "face_landmarker.task", b"\0\0" + packed)])
    assert networks.faces is not None and networks.face_points is not None
    no_role = tflite_bytes.archive(face_detector=tflite_bytes.detector()[:3000], other=tflite_bytes.constant_points(np.zeros(52)))
    with pytest.raises(InputError, match=r"x.task \(face_detector.tflite\): this .tflite file is damaged"):
        open_files([written(tmp_path, "x.task", no_role)])
    unknown = tflite_bytes.archive(face_points=tflite_bytes.with_custom_operator(), face_detector=tflite_bytes.detector())
    assert open_files([written(tmp_path, "half.task", unknown)]).faces is not None
    with pytest.raises(InputError, match=r"broken.task \(face_blendshapes.tflite\): this .tflite file is damaged"):
        open_files([written(tmp_path, "broken.task", tflite_bytes.archive(face_blendshapes=b"\0" * 100))])


def test_a_damaged_file_is_one_sentence_that_names_it(tmp_path: Path) -> None:
    whole = tflite_bytes.constant_points(np.zeros(1404))
    path = tmp_path / "face.tflite"
    random = np.random.default_rng(0)
    broken = [whole[:n] for n in (1, 7, 8, 20, 100, 300, len(whole) // 2, len(whole) - 10)]
    for _ in range(60):
        changed = bytearray(whole)
        for at in random.integers(len(whole) - 3000, len(whole), 3) if len(broken) % 2 else random.integers(8, 3000, 3):
            changed[at] = int(random.integers(256))
        broken.append(bytes(changed))
    refused = 0
    for content in broken:
        path.write_bytes(content)
        try:
            open_files([path])  # OpenCV ends the process on some damaged files: they must not come so far
        except InputError as error:
            refused += 1
            assert "face.tflite" in str(error) and "\n" not in str(error)
    assert refused >= 8  # a changed weight is still a weight
    for name, content in (
        ("x.task", tflite_bytes.archive(a=whole)[:-40]),
        ("x.task", tflite_bytes.archive()),
        ("x.tflite", b"<html>" * 9),
        ("x.tflite", b""),
    ):
        with pytest.raises(InputError, match=name):
            open_files([written(tmp_path, name, content)])
    with pytest.raises(InputError, match="missing.tflite"):
        open_files([tmp_path / "missing.tflite"])


def test_networks_for_something_else_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"other.tflite: not a network of MediaPipe .*gives 10 and 1 numbers"):
        open_files([written(tmp_path, "other.tflite", tflite_bytes.constant_points(np.zeros(10)))])
    with pytest.raises(InputError, match=r"attention.tflite: OpenCV cannot run .*Landmarks2TransformMatrix"):
        open_files([written(tmp_path, "attention.tflite", tflite_bytes.with_custom_operator())])


# Detectors -----------------------------------------------------------------------------------------------------------------


def test_anchors_lie_in_the_middles_of_their_cells() -> None:
    for side, count in ((128, 896), (256, 896), (192, 2304), (224, 2254)):
        found = anchors(side, count)
        assert found.shape == (count, 2) and found.min() > 0 and found.max() < 1
        assert found.mean(0) == pytest.approx(0.5)
    near = anchors(128, 896)
    assert near[:4] == pytest.approx(np.array(((0.5, 0.5), (0.5, 0.5), (1.5, 0.5), (1.5, 0.5))) / 16)
    assert near[512:519] == pytest.approx(np.array(((0.5, 0.5),) * 6 + ((1.5, 0.5),)) / 8)


def test_a_detector_finds_its_patch_in_a_photo_with_bars(tmp_path: Path) -> None:
    network = open_files([written(tmp_path, "d.tflite", tflite_bytes.detector(places=KEYS))]).faces
    assert network is not None
    boxes = detect(network, with_patch(240, 110), tiled=False)
    assert len(boxes) == 1
    scale = SIZE[0] / 128  # the longer side fills the picture
    left, top, width, height = boxes[0].box
    assert (width, height) == pytest.approx((48 * scale,) * 2)
    assert (left + width / 2, top + height / 2) == pytest.approx((240, 110), abs=5 * scale)  # cells are eight pixels wide
    middle = np.array((left + width / 2, top + height / 2))
    assert boxes[0].keys == pytest.approx(middle + KEYS * scale)
    assert detect(network, np.full((300, 400, 3), 60, np.uint8)) == []


def test_small_things_are_found_in_parts_of_the_photo(tmp_path: Path) -> None:
    network = open_files([written(tmp_path, "d.tflite", tflite_bytes.detector(places=KEYS))]).faces
    assert network is not None
    colour = np.full((600, 1800, 3), 60, np.uint8)
    colour[280:300, 1500:1520] = (255, 0, 0)  # less than two pixels of the whole photo's picture
    assert detect(network, colour, tiled=False) == []
    found = detect(network, colour)
    assert found and all(abs(b.box[0] + b.box[2] / 2 - 1510) < 30 for b in found)


def test_boxes_that_overlap_become_their_mean() -> None:
    keys = np.zeros((6, 2))
    found = suppressed([Box(0.6, (10, 0, 100, 100), keys + 5), Box(0.9, (0, 0, 100, 100), keys), Box(0.7, (300, 0, 50, 50), keys)])
    assert [round(b.score, 2) for b in found] == [0.9, 0.7]
    assert found[0].box == pytest.approx((4, 0, 100, 100)) and found[0].keys == pytest.approx(2)


# Points --------------------------------------------------------------------------------------------------------------------


def mesh(count: int) -> np.ndarray:
    """Points that are told apart by their places, whose own square is the picture: level eyes, the middle two thirds filled."""
    random = np.random.default_rng(1)
    points = random.uniform(1 / 6, 5 / 6, (count, 3))
    points[10], points[152] = (0.5, 1 / 6, 0), (0.5, 5 / 6, 0)
    points[234], points[454] = (1 / 6, 0.5, 0), (5 / 6, 0.5, 0)
    points[33], points[263] = (0.3, 0.4, 0), (0.7, 0.4, 0)
    return points


@pytest.mark.parametrize("count, side", [(468, 192), (478, 256)])
def test_points_come_back_to_the_photo_from_a_turned_square(count: int, side: int, tmp_path: Path) -> None:
    points = mesh(count)
    network = open_files([written(tmp_path, "m.tflite", tflite_bytes.constant_points(points * side, side))]).face_points
    assert network is not None
    turn = math.radians(25)
    square = Square(220.0, 140.0, 180.0, turn)
    found, chance = face_points(network, np.full((300, 400, 3), 230, np.uint8), square)
    matrix = np.array(((math.cos(turn), math.sin(turn)), (-math.sin(turn), math.cos(turn))))
    wanted = (points[:, :2] - 0.5) * 180 @ matrix + (220, 140)
    assert found[:68] == pytest.approx(wanted[list(FROM_MEDIAPIPE)], abs=0.05)
    eyes = wanted[[468, 473]] if count == 478 else np.array([found[RIGHT_EYE].mean(0), found[LEFT_EYE].mean(0)])
    assert found[[RIGHT_PUPIL, LEFT_PUPIL]] == pytest.approx(eyes, abs=0.05)
    assert chance > 0.9 and face_points(network, np.full((300, 400, 3), 10, np.uint8), square)[1] < 0.1


def test_the_table_of_points_is_whole_and_symmetrical_where_the_mesh_numbers_its_middle() -> None:
    assert len(FROM_MEDIAPIPE) == COUNT - 2 == len(set(FROM_MEDIAPIPE)) and max(FROM_MEDIAPIPE) < 468
    assert FROM_MEDIAPIPE[8] == 152 and FROM_MEDIAPIPE[NOSE_TIP] == 1 and (FROM_MEDIAPIPE[48], FROM_MEDIAPIPE[54]) == (61, 291)
    middle = [i for i in range(68) if MIRROR[i] == i]
    assert [FROM_MEDIAPIPE[i] for i in middle] == [152, 6, 197, 5, 1, 2, 0, 17, 13, 14]
    right = [FROM_MEDIAPIPE[i] for i in range(*JAW.indices(68)) if i < 8]
    assert all(n <= 234 for n in right)  # the mesh numbers the subject's right side first


def test_the_square_of_a_face_follows_its_eyes() -> None:
    keys = np.array(((100, 100), (140, 140), (110, 130), (100, 145), (80, 90), (150, 160)), float)
    square = face_square(Box(1.0, (80, 80, 60, 80), keys))
    assert square == pytest.approx((110, 120, 120, math.pi / 4))


def test_a_body_is_placed_in_its_square(tmp_path: Path) -> None:
    raw = np.zeros((39, 5))
    random = np.random.default_rng(2)
    raw[:, :2] = random.uniform(40, 210, (39, 2))
    raw[:, 3] = 6.0
    raw[[25, 26, 27, 28], 3] = -6.0  # knees and ankles are not seen
    raw[33, :2], raw[34, :2] = (128, 128), (128, 128 - 256 / 2.5)  # the middle and the edge of just this square
    content = tflite_bytes.constant_points(raw, 256, 1.0, more=[("world", np.zeros(117))])
    network = open_files([written(tmp_path, "pose.tflite", content)]).body_points
    assert network is not None
    square = body_square(np.array((200.0, 150.0)), np.array((200.0, 70.0)))
    assert square == pytest.approx((200, 150, 200, 0))
    points, seen, chance = body_points(network, np.full((300, 400, 3), 255, np.uint8), square)
    assert points == pytest.approx((raw[:33, :2] / 256 - 0.5) * 200 + (200, 150), abs=0.05)
    assert chance == 1.0 and seen[11] > 0.9 and seen[25] < 0.1
    joints = joints_of_pose(points, seen, SIZE)
    assert set(joints) == {"head", "neck", "spine", "hip.L", "hip.R"} | {f"{n}.{s}" for n in ("shoulder", "elbow", "wrist") for s in "LR"}
    assert joints["shoulder.L"] == pytest.approx(tuple(points[11] / SIZE)) and joints["wrist.R"] == pytest.approx(tuple(points[16] / SIZE))
    assert joints["spine"] == pytest.approx(tuple((points[23] + points[24]) / 2 / SIZE))


# YuNet ---------------------------------------------------------------------------------------------------------------------


def yunet() -> bytes:
    """A network with YuNet's outputs; at a stride of 16, a patch of red is a face."""
    nodes, constants = (
        [],
        [onnx_bytes.whole("row", [1, -1, 1]), onnx_bytes.whole("box", [1, -1, 4]), onnx_bytes.whole("points", [1, -1, 10])],
    )
    outputs = []
    for stride in (8, 16, 32):
        pixels = stride * stride
        for name, wide, shape in (("cls", 1, "row"), ("obj", 1, "row"), ("bbox", 4, "box"), ("kps", 10, "points")):
            weights, bias = np.zeros((wide, 3, stride, stride)), np.zeros(wide)
            if wide == 1 and stride == 16:
                weights[0] = np.array((-1.0, -1.0, 1.0))[:, None, None] / 255 / pixels * 2  # BGR
            if name == "bbox":
                bias[2:] = math.log(4.0)
            if name == "kps":
                bias[:] = np.ravel(((-1, -1), (1, -1), (0, 0), (-0.8, 1), (0.8, 1)))
            end = f"{name}_{stride}"
            constants += [
                onnx_bytes.constant(f"w{end}", weights.ravel().tolist(), weights.shape),
                onnx_bytes.constant(f"b{end}", bias.tolist(), (wide,)),
            ]
            convolution = onnx_bytes.node(
                "Conv",
                ("input", f"w{end}", f"b{end}"),
                f"c{end}",
                onnx_bytes.integers("kernel_shape", [stride] * 2),
                onnx_bytes.integers("strides", [stride] * 2),
            )
            nodes += [convolution, onnx_bytes.node("Transpose", (f"c{end}",), f"t{end}", onnx_bytes.integers("perm", [0, 2, 3, 1]))]
            nodes.append(onnx_bytes.node("Reshape", (f"t{end}", shape), end))
            outputs.append(onnx_bytes.value_info(end, (1, "n", wide)))
    return onnx_bytes.model(nodes, constants, [onnx_bytes.value_info("input", (1, 3, "h", "w"))], outputs)


def test_yunet_gives_five_points(tmp_path: Path) -> None:
    path = written(tmp_path, "gesichter-ä.onnx", yunet())
    colour = np.zeros((320, 480, 3), np.uint8)
    colour[160:176, 240:256] = (255, 0, 0)
    found = detect_five(path, colour)
    assert len(found) == 1
    corner = np.array((240.0, 160.0))
    assert found[0].points == pytest.approx(corner + 16 * np.array(((-1, -1), (1, -1), (0, 0), (-0.8, 1), (0.8, 1))), abs=1e-3)
    large = detect_five(path, np.repeat(np.repeat(colour, 5, 0), 5, 1))  # shown to it at a third of its size
    assert len(large) >= 1 and large[0].points[2] == pytest.approx(5 * corner, abs=120)
    assert detect_five(path, np.zeros((100, 130, 3), np.uint8)) == []


def test_another_onnx_file_is_refused(tmp_path: Path) -> None:
    colour = np.zeros((64, 64, 3), np.uint8)
    for content in (b"nonsense", yunet()[:2000], onnx_bytes.brightness(28, 42)):
        with pytest.raises(InputError, match=r"other.onnx: not a YuNet file"):
            detect_five(written(tmp_path, "other.onnx", content), colour)
