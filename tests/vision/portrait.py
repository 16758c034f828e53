"""A portrait to try subjects on: scikit-image's astronaut (a photo of NASA's, in the public domain), with landmarks placed by eye, a silhouette
and a depth that fits. Also the same with its mouth shut, by landmarks alone."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import cv2
import numpy as np
import skimage.data

from addon.spec import SceneSpec
from addon.vision.face_fit import FaceFit, fit_face
from addon.vision.geometry import ray_map
from addon.vision.landmarks import FacePoints, Person
from addon.vision.layered import PhotoCamera
from addon.vision.layering import Layering, cut_layers
from addon.vision.subject_depth import Source

SIZE = (512, 512)
CAMERA = PhotoCamera(28.0)
NEAR, FAR = 1.2, 6.0
NAME = "Person 1"

_POINTS = np.array(
    [
        (181, 103), (181, 115), (182, 127), (183, 139), (187, 151), (194, 162), (204, 171), (213, 176), (223, 178),
        (234, 177), (244, 172), (252, 164), (259, 154), (264, 142), (267, 129), (268, 117), (269, 105),
        (189, 91), (194, 88.5), (200, 88), (206, 89.5), (212, 92.5), (236, 94), (242, 92), (249, 92), (256, 93), (262, 96),
        (224, 101), (224, 110), (224, 118), (223, 126), (213, 131), (217, 132.5), (222, 134), (228, 133), (233, 131.5),
        (192, 101), (198, 97), (205, 97.5), (211, 102), (205, 103.5), (198, 103.5),
        (235.5, 104), (242, 99.5), (250, 100), (257, 104.5), (250, 106), (242, 106.5),
        (200, 140), (208, 139), (217, 138.5), (222, 139.5), (228, 139), (237, 139.5), (246, 141),
        (239, 149.5), (231, 154), (222, 155), (213, 153.5), (206, 149),
        (202, 140.5), (211, 141), (221, 142), (232, 141.5), (243, 141.5), (233, 148.5), (221, 150.5), (210, 148),
        (202, 101), (246, 103.5),
    ]
)  # fmt: skip


def person(*, shut: bool = False) -> Person:
    """shut: the inner lips' points lie on one line."""
    points = _POINTS.copy()
    if shut:
        for upper, lower in ((61, 67), (62, 66), (63, 65)):
            points[[upper, lower]] = points[[upper, lower]].mean(0)
    return Person(NAME, FacePoints(points / SIZE, np.ones(70), "clicks"))


@lru_cache(maxsize=2)
def fit(*, shut: bool = False) -> FaceFit:
    face = person(shut=shut).face
    assert face is not None
    return fit_face(face, CAMERA, SIZE)


@lru_cache(maxsize=1)
def photo() -> np.ndarray:
    """uint8 512×512×3, sRGB."""
    return skimage.data.astronaut()


@lru_cache(maxsize=1)
def silhouette() -> np.ndarray:
    """Of the astronaut, bool 512×512, by GrabCut from a rough outline."""
    mask = np.full(SIZE[::-1], cv2.GC_BGD, np.uint8)
    outline = np.array(
        [
            (146, 60),
            (185, 16),
            (265, 16),
            (308, 60),
            (300, 140),
            (320, 190),
            (370, 270),
            (400, 345),
            (455, 420),
            (455, 511),
            (0, 511),
            (20, 330),
            (60, 190),
            (150, 150),
        ]
    )
    cv2.fillPoly(mask, [outline], cv2.GC_PR_FGD)
    cv2.ellipse(mask, (224, 90), (60, 70), 0, 0, 360, cv2.GC_FGD, -1)
    body = np.array([(190, 160), (262, 180), (330, 270), (350, 380), (400, 511), (50, 511), (60, 330), (90, 220)])
    cv2.fillPoly(mask, [body], cv2.GC_FGD)
    cv2.setRNGSeed(0)  # GrabCut starts from a random choice, which would depend on the tests before
    cv2.grabCut(np.ascontiguousarray(photo()[..., ::-1]), mask, None, np.zeros((1, 65)), np.zeros((1, 65)), 2, cv2.GC_INIT_WITH_MASK)
    found = ((mask == cv2.GC_FGD) | (mask == cv2.GC_PR_FGD)).astype(np.uint8)
    found = cv2.morphologyEx(found, cv2.MORPH_OPEN, np.ones((5, 5)))
    _, parts, stats, _ = cv2.connectedComponentsWithStats(found)
    return parts == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))


def depth(*, blind: bool = False) -> np.ndarray:
    """float32 512×512 in [0, 1]: a bust before a wall; blind: the wall alone."""
    y, x = np.mgrid[:512, :512].astype(np.float32)
    wall = 0.10 + 0.08 * x / 512
    if blind:
        return wall + np.float32(0.3)
    mask = silhouette()
    inner = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5)
    bust = 0.68 + 0.06 * np.sqrt(np.clip(inner / 80, 0, 1)) + 0.1 * np.clip((y - 200) / 300, 0, 1)
    return np.where(mask, bust, wall).astype(np.float32)


@lru_cache(maxsize=2)
def layering(*, blind: bool = False) -> Layering:
    spec = SceneSpec()
    spec = replace(spec, layers=replace(spec.layers, fill="smooth"))
    return cut_layers(photo(), depth(blind=blind), None, spec, lambda share, text: None, {NAME: silhouette()})


def picture(made: Layering, file: str) -> np.ndarray:
    content = made.files[file]
    return content if isinstance(content, np.ndarray) else cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)


def source(*, blind: bool = False) -> Source:
    """The layer of the astronaut."""
    made = layering(blind=blind)
    level, layer = next((i, layer) for i, layer in enumerate(made.layers) if layer.person == NAME)
    return Source(
        made.d, picture(made, made.levels or ""), level, layer.box, picture(made, layer.matte or ""),
        None if layer.depth is None else picture(made, layer.depth), ray_map(CAMERA, SIZE), NEAR, FAR, 1.0, SIZE,
    )  # fmt: skip
