"""MediaPipe's own files: what this decoding makes of them, beside what MediaPipe 0.10.14 itself gave for the same photo.

`make test-networks` brings the files; STILLSCAPE_MEDIAPIPE names the folder `mediapipe/modules` of its package.
"""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest

from addon.errors import InputError
from addon.vision.landmarks import CHIN
from addon.vision.mediapipe import detect, open_files
from addon.vision.subject import SubjectFiles, find_people

pytestmark = [
    pytest.mark.networks,
    pytest.mark.skipif("STILLSCAPE_MEDIAPIPE" not in os.environ, reason="STILLSCAPE_MEDIAPIPE names no folder of MediaPipe's files"),
]
data = pytest.importorskip("skimage.data")

# In pixels of scikit-image's astronaut: FaceMesh(static_image_mode=True) and Pose(static_image_mode=True, model_complexity=1).
FACE = {
    36: (194.6, 100.9),
    39: (213.8, 103.6),
    42: (237.4, 104.8),
    45: (256.7, 104.1),
    30: (224.1, 131.2),
    48: (201.8, 139.5),
    54: (245.9, 142.2),
}
FACE[CHIN] = (221.3, 175.5)
BODY = {"shoulder.L": (306.2, 256.6), "shoulder.R": (112.7, 240.0), "elbow.R": (64.6, 413.6), "wrist.R": (135.2, 477.3)}


def file(name: str) -> Path:
    (path,) = Path(os.environ["STILLSCAPE_MEDIAPIPE"]).rglob(name)
    return path


def files() -> SubjectFiles:
    return SubjectFiles(
        faces=file("face_detection_short_range.tflite"), face_points=file("face_landmark.tflite"), body=file("pose_landmark_full.tflite")
    )


def test_a_face_and_a_body_are_where_mediapipe_has_them() -> None:
    (person,) = find_people(data.astronaut(), files(), body=True)
    assert person.face is not None and person.face.source == "mediapipe" and person.face.confidence.min() > 0.99
    found = person.face.pixels((512, 512))
    for number, place in FACE.items():
        assert np.linalg.norm(found[number] - place) < 0.04 * 44, number  # 44 pixels between the pupils
    for joint, place in BODY.items():
        assert np.linalg.norm(np.array(person.joints[joint]) * 512 - place) < 0.11 * 194, joint  # 194 between the shoulders


def test_the_detector_alone_finds_the_face_for_our_network() -> None:
    (person,) = find_people(data.astronaut(), SubjectFiles(faces=files().faces))
    assert person.face is not None and person.face.source == "network"
    assert np.linalg.norm(person.face.pixels((512, 512))[36] - FACE[36]) < 0.06 * 44


def test_pose_landmarker_task_is_of_use_although_its_detector_is_sparse(tmp_path: Path) -> None:
    """Put together as MediaPipe's `pose_landmarker.task` is: two zeros first, stored, the detector before the points."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("pose_detector.tflite", file("pose_detection.tflite").read_bytes())
        archive.writestr("pose_landmarks_detector.tflite", file("pose_landmark_full.tflite").read_bytes())
    path = tmp_path / "pose_landmarker.task"
    path.write_bytes(b"\0\0" + packed.getvalue())
    (person,) = find_people(data.astronaut(), SubjectFiles(body=path), body=True)
    assert np.linalg.norm(np.array(person.joints["shoulder.L"]) * 512 - BODY["shoulder.L"]) < 0.11 * 194


@pytest.mark.parametrize("name", ["chelsea", "coffee", "rocket"])
@pytest.mark.parametrize("alone", [True, False])
def test_what_the_detector_takes_for_faces_is_doubted(name: str, alone: bool) -> None:
    """It sees some in all three, at scores from 0.5 to 0.63."""
    picture = getattr(data, name)()
    (detector,) = (n for n in open_files((files().faces,)) if n is not None)
    assert detect(detector, picture)
    assert find_people(picture, SubjectFiles(faces=files().faces) if alone else files(), body=True) == ()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("face_detection_full_range_sparse.tflite", "sparse"),
        ("pose_detection.tflite", "sparse"),
        ("face_landmark_with_attention.tflite", "operator"),
        ("selfie_segmentation.tflite", "not a network of MediaPipe for faces or bodies"),
        ("iris_landmark.tflite", "not a network of MediaPipe for faces or bodies"),
    ],
)
def test_its_other_files_are_refused_with_a_sentence(name: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason) as raised:
        open_files((file(name),))
    assert name in str(raised.value)
