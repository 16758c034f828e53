"""The half sphere before the viewer: where the photo is in it, and what is around."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

bpy = pytest.importorskip("bpy")
from addon import spec as specs  # noqa: E402
from addon.errors import UsageError  # noqa: E402
from addon.output import stereo, vr180  # noqa: E402
from addon.vision.geometry import RayMap  # noqa: E402
from addon.vision.planning import view_pixels, vr_side  # noqa: E402
from tests.output.stereo_scenes import HEIGHT, NEAR, TAN, WIDTH, halves, noise, settings, shoot, slide, two_depths  # noqa: E402

SIDE = 360  # two pixels a degree


def angles(side=SIDE):
    """Longitude to the right and latitude upwards of every pixel's middle, in radians."""
    at = ((np.arange(side) + 0.5) / side - 0.5) * math.pi
    return np.meshgrid(at, -at)


def expected(photo, side=SIDE):
    """The photo as the half sphere shows it from where it was taken, and where it is."""
    lon, lat = angles(side)
    x, y = np.tan(lon), np.tan(lat) / np.cos(lon)
    px, py = (x / TAN + 0.5) * WIDTH - 0.5, (0.5 - y / (TAN * HEIGHT / WIDTH)) * HEIGHT - 0.5
    inside = (px > -0.5) & (px < WIDTH - 0.5) & (py > -0.5) & (py < HEIGHT - 0.5) & (np.abs(lon) < 1.5)
    return cv2.remap(photo, px.astype(np.float32), py.astype(np.float32), cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT), inside


def wall(tmp_path, z=3.0):
    photo = np.clip(cv2.GaussianBlur(noise(), (0, 0), 2).astype(int) + 40, 30, 255).astype(np.uint8)
    cv2.imwrite(str(tmp_path / "photo.png"), photo)
    np.save(tmp_path / "depth.npy", np.full((HEIGHT, WIDTH), z, np.float32))
    return photo


@pytest.mark.versions
def test_the_photo_stands_where_its_angles_say(tmp_path):
    photo = wall(tmp_path)
    spec = settings(tmp_path, mode="vr180", interaxial=0.0, surround="black", size=(SIDE, SIDE), samples=4)
    frames, facts, built = shoot(tmp_path, spec)
    assert frames[0].shape == (SIDE, 2 * SIDE, 3) and tuple(facts["size"]) == (2 * SIDE, SIDE)
    left, right = halves(frames[0])
    assert np.array_equal(left, right)
    wanted, inside = expected(photo)
    shown = left.max(-1) > 0
    assert (shown != inside).sum() <= inside.sum() * 0.01
    rows, columns = np.where(shown)
    edge = math.degrees(math.atan(TAN / 2)) * 2  # pixels
    assert columns.min() == pytest.approx(SIDE / 2 - edge, abs=1) and columns.max() + 1 == pytest.approx(SIDE / 2 + edge, abs=1)
    top = math.degrees(math.atan(TAN * HEIGHT / WIDTH / 2)) * 2
    assert rows.min() == pytest.approx(SIDE / 2 - top, abs=1) and rows.max() + 1 == pytest.approx(SIDE / 2 + top, abs=1)
    inner = cv2.erode(inside.astype(np.uint8), np.ones((5, 5))) > 0
    error = np.mean((left[inner].astype(float) - wanted[inner]) ** 2)
    assert 10 * math.log10(255**2 / error) >= 40
    # The camera is an ordinary one again, and so is all else.
    assert (built.camera.data.type, bpy.context.scene.render.resolution_x) == ("PERSP", built.film_size[0])
    nodes = built.layers[0].material_slots[0].material.node_tree.nodes
    assert nodes["Photo Lookup"].inputs["Panorama"].default_value == nodes["Photo Lookup"].inputs["Border"].default_value == 0


def test_one_sample_shows_the_photo_as_sharply_as_many(tmp_path):
    wall(tmp_path)
    shown = []
    for samples in (1, 16):
        spec = settings(tmp_path, mode="vr180", interaxial=0.0, surround="black", size=(120, 120), samples=samples)
        shown.append(shoot(tmp_path, spec)[0][0][:, :120].astype(float))
        bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    inner = cv2.erode((shown[0].max(-1) > 0).astype(np.uint8), np.ones((5, 5))) > 0
    assert 10 * math.log10(255**2 / max(1e-3, np.mean((shown[0] - shown[1])[inner] ** 2))) >= 55


def test_the_eyes_see_what_is_near_from_two_sides(tmp_path):
    two_depths(tmp_path)
    b = 0.15
    frames, _, _ = shoot(tmp_path, settings(tmp_path, mode="vr180", interaxial=b, surround="black", size=(SIDE, SIDE)))
    left, right = halves(frames[0])
    part = (slice(SIDE // 2 - 8, SIDE // 2 + 8), slice(SIDE // 2 - 6, SIDE // 2 + 10))
    apart = 2 * math.degrees(math.atan(b / 2 / NEAR)) * 2
    assert slide(left, right, part, alike=400) == pytest.approx(-apart, abs=0.3)


@pytest.mark.parametrize("surround", ["blurred", "mirrored"])
def test_nothing_around_the_photo_is_empty(tmp_path, surround):
    """Not even from aside and turned; and the surroundings join the photo where it ends."""
    photo = wall(tmp_path)
    spec = settings(tmp_path, frames=2, mode="vr180", interaxial=0.06, surround=surround, size=(180, 180), name="orbit", amount=1.0)
    frames, _, built = shoot(tmp_path, spec)
    for frame in frames:
        assert frame.max(-1).min() > 10
    _, inside = expected(photo, 180)
    left = halves(frames[0])[0].astype(float)
    outside = cv2.dilate(inside.astype(np.uint8), np.ones((9, 9))) == 0
    detail = np.abs(cv2.Laplacian(left, cv2.CV_64F)).mean(-1)
    around = outside & (np.abs(angles(180)[1]) < 1.2)
    if surround == "blurred":
        assert detail[around].mean() < 0.35 * detail[inside].mean()
    else:  # mirrored at its left edge: as far left of it as right of it, in angles, along the middle row
        edge = 90 - 30
        seen, mirrored = left[86:94, edge + 3 : edge + 20], left[86:94, edge - 20 : edge - 3][:, ::-1]
        error, other = (float(np.mean((seen - m) ** 2)) for m in (mirrored, mirrored[:, ::-1]))
        assert error < 0.3 * other
    assert not [o for o in bpy.data.objects if o.name.startswith("Stillscape Surroundings")]
    assert not [i for i in bpy.data.images if i.name.startswith("Stillscape Surroundings")]


@pytest.mark.parametrize("surround", ["blurred", "mirrored"])
def test_the_surroundings_hide_nothing_of_the_photo(tmp_path, surround):
    """Neither where it is near at its border nor where it ends in the sky, which stands far behind all else."""
    photo = wall(tmp_path)
    depth = np.full((HEIGHT, WIDTH), 3.0, np.float32)
    depth[:50] = np.inf
    depth[90:] = 1.5
    np.save(tmp_path / "depth.npy", depth)
    frames, _, built = shoot(tmp_path, settings(tmp_path, mode="vr180", interaxial=0.0, surround=surround, size=(SIDE, SIDE)))
    assert stereo.sky_is_there(built.root)
    wanted, inside = expected(photo)
    inner = cv2.erode(inside.astype(np.uint8), np.ones((11, 11))) > 0
    error = np.mean((halves(frames[0])[0][inner].astype(float) - wanted[inner]) ** 2)
    assert 10 * math.log10(255**2 / error) >= 35


def test_the_dome_is_whole_and_right(tmp_path):
    """Where it shows the photo's own directions mirrored, a known point is where it should be."""
    rays = RayMap(TAN, TAN * 0.75, 0.5, 0.5)
    surface = vr180.dome(rays, None, 2.0, 8.0, 0.0, inside=0.0)
    assert len(surface.position) <= 60_000 and surface.faces.max() < len(surface.position)
    direction = surface.position / np.linalg.norm(surface.position, axis=1, keepdims=True)
    lon = np.degrees(np.arctan2(direction[:, 0], direction[:, 1]))
    level = (np.abs(direction[:, 2]) < 0.1) & (np.abs(lon) < 90)
    order = np.argsort(lon[level])
    # 40 degrees to the left, of a photo that ends at 30, is what is seen at 20 degrees.
    u = np.interp(-40, lon[level][order], surface.uv[level, 0][order])
    assert u == pytest.approx(math.tan(math.radians(-20)) / TAN + 0.5, abs=0.002)


def test_the_side_follows_the_photo_or_the_size():
    assert vr_side(None, 1000, 90.0) == 1570  # pi / 2 * 1000
    assert vr_side(None, 8000, 60.0) == 2880
    assert vr_side((3840, 1921), 8000, 60.0) == 1920
    spec = specs.SceneSpec(stereo=specs.StereoSpec(mode="vr180"), render=specs.RenderSpec(size=(1000, 1000)))
    width, height = view_pixels(spec, (400, 300), 90.0)
    assert width == pytest.approx(2 * 1000 / math.pi, abs=2) and height == pytest.approx(width * 0.75, abs=2)


def test_it_takes_cycles():
    with pytest.raises(UsageError, match="Cycles"):
        stereo.check(specs.SceneSpec(stereo=specs.StereoSpec(mode="vr180"), render=specs.RenderSpec(engine="eevee")))
