"""People in a photo: found by the best means at hand, ordered, named, and kept in the layered photo."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from addon.errors import InputError
from addon.vision import subject
from addon.vision.faces import face_of_eyes, find_faces, find_more_faces
from addon.vision.joints import guessed_joints
from addon.vision.landmarks import CHIN, FILE, LEFT_PUPIL, RIGHT_PUPIL, FacePoints, Person, to_json
from addon.vision.layered import INDEX, Layer, LayeredPhoto, PhotoCamera, read_layered, write_layered
from addon.vision.mediapipe import Box
from addon.vision.subject import SubjectFiles, find_people, people_for, people_of, points_of_eyes, read_people
from tests.vision import tflite_bytes  # type: ignore[import-not-found]

data = pytest.importorskip("skimage.data")


def astronaut() -> np.ndarray:
    return data.astronaut()


def depth_of_astronaut() -> np.ndarray:
    """A rough depth: she stands before a far wall."""
    d = np.full((512, 512), 0.1, np.float32)
    y, x = np.mgrid[:512, :512]
    d[np.hypot((x - 224) / 70, (y - 105) / 100) < 1] = 0.6
    d[(y > 180) & (np.abs(x - 200) < 60 + 0.75 * (y - 180))] = 0.7
    return d


def test_someone_in_a_portrait_is_found_without_any_file() -> None:
    found = find_people(astronaut())
    assert [p.name for p in found] == ["Person 1"] and found[0].face is not None and found[0].joints == {}
    pixels = found[0].face.pixels((512, 512))
    eyes = np.array(((203.2, 101.2), (247.0, 103.2)))  # placed by hand
    miss = np.linalg.norm(pixels[[RIGHT_PUPIL, LEFT_PUPIL]] - eyes, axis=1) / np.linalg.norm(eyes[1] - eyes[0])
    assert miss.max() < 0.015  # the network alone: 0.021
    assert np.linalg.norm(pixels[CHIN] - (224, 177)) < 0.5 * np.linalg.norm(eyes[1] - eyes[0])
    assert find_people(astronaut(), faces=find_faces(astronaut()))[0].face is not None


def test_two_people_are_told_apart_and_the_larger_comes_first() -> None:
    small = np.ascontiguousarray(astronaut()[20:260:2, 100:340:2][:, ::-1])
    both = np.full((512, 700, 3), 190, np.uint8)
    both[:, :512] = astronaut()
    both[40:160, 540:660] = small
    found = find_people(both)
    assert [p.name for p in found] == ["Person 1", "Person 2"]
    faces = [p.face for p in found if p.face is not None]
    assert faces[0].eye_distance((700, 512)) > 1.5 * faces[1].eye_distance((700, 512))
    assert faces[0].points[27, 0] < 0.4 and faces[1].points[27, 0] > 0.75


@pytest.mark.parametrize("name", ["coffee", "rocket"])
def test_nobody_is_found_where_nobody_is(name: str) -> None:
    assert find_people(getattr(data, name)()) == ()
    assert find_people(np.full((20, 30, 3), 128, np.uint8)) == ()


def test_faces_are_found_without_their_eyes() -> None:
    colour = astronaut()
    found = find_more_faces(colour, ())
    assert len(found) == 1 and found[0].eyes is not None
    assert (found[0].eyes[0].x * 512, found[0].eyes[0].y * 512) == pytest.approx((203, 101), abs=10)
    assert find_more_faces(colour, find_faces(colour)) == ()  # known ones are not found twice
    # Without what `find_faces` saw, it is one of those, whose points are trusted less.
    unsure = find_people(colour, faces=())
    assert len(unsure) == 1 and unsure[0].face is not None


@pytest.mark.parametrize("degrees", [-40.0, -22.0, 20.0, 35.0])
def test_a_tilted_head_is_found(degrees: float) -> None:
    turn = cv2.getRotationMatrix2D((256, 180), degrees, 1.0)
    found = find_people(cv2.warpAffine(astronaut(), turn, (512, 512), borderMode=cv2.BORDER_REPLICATE))
    assert len(found) == 1 and found[0].face is not None
    eyes = np.array(((203.2, 101.2, 1), (247.0, 103.2, 1))) @ turn.T
    pixels = found[0].face.pixels((512, 512))[[RIGHT_PUPIL, LEFT_PUPIL]]
    assert np.linalg.norm(pixels - eyes, axis=1).max() < 0.1 * np.linalg.norm(eyes[1] - eyes[0])


def test_what_the_cascades_alone_take_for_a_face_is_none_if_the_network_sees_none(monkeypatch: pytest.MonkeyPatch) -> None:
    suit, face = ((346.0, 403.0), (390.0, 403.0)), ((203.0, 101.0), (247.0, 103.0))
    claimed = tuple(face_of_eyes(*eyes, (512, 512)) for eyes in (suit, face))
    monkeypatch.setattr(subject, "find_more_faces", lambda colour, known: claimed)
    found = find_people(astronaut(), faces=())
    assert len(found) == 1 and found[0].face is not None and found[0].face.source == "network"
    assert np.linalg.norm(found[0].face.pixels((512, 512))[RIGHT_PUPIL] - face[0]) < 4.4


def test_where_a_detector_sees_only_what_is_no_face_the_next_one_is_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A patch on the suit, at a score that MediaPipe's detector gives flags and sleeves."""
    keys = np.array(((346, 403), (390, 403), (368, 425), (368, 445), (330, 410), (406, 410)), float)
    sleeve = Box(0.6, (330.0, 380.0, 80.0, 80.0), keys)
    monkeypatch.setattr(subject, "detect", lambda network, colour: [sleeve])
    path = tmp_path / "detector.tflite"
    path.write_bytes(tflite_bytes.detector())
    (person,) = find_people(astronaut(), SubjectFiles(faces=path))
    assert person.face is not None and np.linalg.norm(person.face.pixels((512, 512))[RIGHT_PUPIL] - (203, 101)) < 5


def test_a_pose_network_places_joints_below_the_face(tmp_path: Path) -> None:
    """The network gives the same points always, so that they lie where the square does: below the face, or where a detector has put it."""
    raw = np.zeros((39, 5))
    raw[:, :2], raw[:, 3] = 128, 6.0
    raw[11, :2], raw[12, :2] = (170, 90), (86, 90)
    raw[34, 1] = 128 - 256 / 2.5
    points = tflite_bytes.constant_points(raw, 256, 1.0)
    path = tmp_path / "pose.task"
    path.write_bytes(tflite_bytes.archive(pose_landmarks_detector=points))
    colour = np.clip(astronaut().astype(int) + 120, 0, 255).astype(np.uint8)  # its flag says "someone" where it is bright
    joints = find_people(colour, SubjectFiles(body=path), body=True, faces=find_faces(astronaut()))[0].joints
    eyes = np.array((225.0, 102.0)) / 512
    assert joints["shoulder.L"][0] > eyes[0] > joints["shoulder.R"][0] and joints["shoulder.L"][1] > eyes[1]
    assert joints["neck"][1] > eyes[1]
    detector = tflite_bytes.detector(
        224, ((8, 2), (16, 2), (32, 6)), keys=4, extent=60.0, places=np.array(((0, 0), (0, -80), (0, 0), (0, 0)))
    )
    path.write_bytes(tflite_bytes.archive(pose_landmarks_detector=points, pose_detector=detector))
    colour[280:320, 215:255] = (255, 0, 0)  # what the detector takes for hips
    seen = find_people(colour, SubjectFiles(body=path), body=True, faces=find_faces(astronaut()))[0].joints
    assert seen["spine"] == pytest.approx((235 / 512, 300 / 512), abs=0.03)
    # On the square's scale: 80 of 224 pixels from the hips to its edge.
    assert seen["shoulder.L"][0] - seen["shoulder.R"][0] == pytest.approx(84 / 256 * 2.5 * 80 / 224, abs=0.01)


def test_the_average_face_lies_on_its_pupils() -> None:
    face = points_of_eyes((512, 512), (200.0, 100.0), (240.0, 110.0), "cascade")
    assert face.pixels((512, 512))[[RIGHT_PUPIL, LEFT_PUPIL]] == pytest.approx(np.array(((200, 100), (240, 110))), abs=0.6)
    assert face.pixels((512, 512))[CHIN, 1] > 150 and face.confidence[CHIN] < face.confidence[RIGHT_PUPIL]


def test_the_users_files_go_before_what_comes_along(tmp_path: Path) -> None:
    """A detector that finds red, and a mesh that gives the same points always: nobody else would see a face there."""
    keys = np.array(((-10, -8), (10, -8), (0, 2), (0, 12), (-20, -4), (20, -4)), float)
    random = np.random.default_rng(1)
    mesh = random.uniform(0.3, 0.7, (468, 3)) * 192
    packed = tflite_bytes.archive(
        face_detector=tflite_bytes.detector(places=keys), face_landmarks_detector=tflite_bytes.constant_points(mesh)
    )
    task = tmp_path / "face_landmarker.task"
    task.write_bytes(packed)
    colour = np.full((300, 400, 3), 250, np.uint8)
    colour[96:124, 226:254] = (255, 0, 0)
    found = find_people(colour, SubjectFiles(faces=task))
    assert len(found) == 1 and found[0].face is not None and found[0].face.source == "mediapipe"
    assert found[0].face.points.mean(0) == pytest.approx((240 / 400, 110 / 300), abs=0.15)
    # In a photo without red, what comes along looks for faces.
    assert find_people(astronaut() // 2 + 60, SubjectFiles(faces=task))
    broken = tmp_path / "broken.task"
    broken.write_bytes(packed[:500])
    with pytest.raises(InputError, match="broken.task"):
        find_people(astronaut(), SubjectFiles(faces=broken))


def test_a_body_is_guessed_from_the_face_and_the_silhouette() -> None:
    people, masks = people_for(astronaut(), depth_of_astronaut(), body=True)
    joints = {name: (x * 512, y * 512) for name, (x, y) in people[0].joints.items()}
    assert set(masks) == {"Person 1"} and {"head", "neck", "shoulder.R", "shoulder.L"} <= set(joints)
    assert joints["head"] == pytest.approx((225, 15), abs=25) and joints["neck"] == pytest.approx((222, 230), abs=30)
    assert joints["shoulder.R"][0] < 150 and joints["shoulder.L"][0] > 290
    assert people_for(astronaut(), depth_of_astronaut()).people[0].joints == {}


def test_joints_without_a_silhouette_know_no_shoulders() -> None:
    face = points_of_eyes((400, 300), (190.0, 80.0), (210.0, 80.0), "cascade")
    joints = guessed_joints(face, (400, 300))
    assert set(joints) == {"head", "neck", "spine"}
    metre = 20 / 0.063
    assert (joints["head"][1] * 300 - 80) / metre == pytest.approx(-0.12, abs=0.01)
    assert (joints["neck"][1] * 300 - 80) / metre == pytest.approx(0.19, abs=0.01)
    assert "spine" not in guessed_joints(face, (400, 200))  # the photo ends above the hips


# Landmarks in files ----------------------------------------------------------------------------------------------------------


def some_people() -> tuple[Person, ...]:
    return (
        Person("Ada", FacePoints(np.linspace(0.2, 0.4, 140).reshape(70, 2), np.linspace(0, 1, 70), "clicks"), {"neck": (0.3, 0.5)}),
        Person("Cat"),
    )


def test_a_landmarks_file_is_taken_as_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "people.json"
    path.write_text(to_json(some_people()), encoding="utf-8")
    found = people_for(astronaut(), depth_of_astronaut(), body=True, landmarks=path).people
    assert [p.name for p in found] == ["Ada", "Cat"] and found[0].joints == {"neck": (0.3, 0.5)}
    path.write_bytes(b"\xff\xfe nothing")
    for wrong in (path, tmp_path / "none.json"):
        with pytest.raises(InputError, match=wrong.name):
            read_people(wrong)


def layered(folder: Path) -> LayeredPhoto:
    return LayeredPhoto(
        folder, "photo", (4, 3), PhotoCamera(50), 1, 9, 2, 3, "photo.png", "depth.npy", (4, 3), (Layer("Photo", (0, 0, 4, 3)),)
    )


def test_the_layered_photo_keeps_its_people(tmp_path: Path) -> None:
    files = {"photo.png": b"x", "depth.npy": np.zeros((3, 4), np.float32)}
    people = some_people()
    kept = replace(layered(tmp_path / "with"), landmarks=FILE)
    write_layered(kept, {**files, FILE: to_json(people).encode()})
    again = read_layered(kept.folder)
    found = people_of(again)
    assert again.landmarks == FILE and [p.name for p in found] == ["Ada", "Cat"] and found[0].face is not None
    assert people[0].face is not None and found[0].face.points == pytest.approx(people[0].face.points, abs=1e-6)
    (kept.folder / FILE).write_text("{}", encoding="utf-8")
    with pytest.raises(InputError, match=FILE):
        people_of(again)
    (kept.folder / FILE).unlink()
    with pytest.raises(InputError, match=FILE):
        read_layered(kept.folder)


def test_older_layered_photos_have_no_people(tmp_path: Path) -> None:
    older = layered(tmp_path / "older")
    write_layered(older, {"photo.png": b"x", "depth.npy": np.zeros((3, 4), np.float32)})
    assert "landmarks" not in json.loads((older.folder / INDEX).read_text(encoding="utf-8"))
    assert people_of(read_layered(older.folder)) == () and not math.isnan(older.near)
