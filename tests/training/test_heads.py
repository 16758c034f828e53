"""Heads and the landmark network. Those made from the human base mesh need its folder: STILLSCAPE_HUMAN names it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from addon.vision.face_network import CELLS, SIDE, window_of_points
from addon.vision.landmarks import COUNT, LEFT_EYE, LEFT_PUPIL, MIRROR, RIGHT_PUPIL

torch = pytest.importorskip("torch")

from training import heads_data, heads_network, heads_train, score_heads  # noqa: E402
from training.heads_mesh import BRIGHTEST  # noqa: E402

# Of the canonical face, seen from the front, in distances of the pupils, x to its left and y down.
FACE = {17: (-0.8, -0.25), 26: (0.8, -0.25), 36: (-0.72, 0), 39: (-0.28, 0), 42: (0.28, 0), 45: (0.72, 0), 30: (0, 0.6), 48: (-0.4, 1.18), 54: (0.4, 1.18), 8: (0, 1.85)}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def few_backgrounds() -> Iterator[None]:
    """Drawing all would take most of the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(heads_data, "_BACKGROUNDS", 8)
        heads_data.backgrounds.cache_clear()
        yield
    heads_data.backgrounds.cache_clear()


@pytest.fixture(scope="module")
def folder() -> Path:
    if "STILLSCAPE_HUMAN" not in os.environ:
        pytest.skip("STILLSCAPE_HUMAN does not name the folder of the human base mesh")
    return Path(os.environ["STILLSCAPE_HUMAN"])


def dotted(folder: Path, number: int) -> None:
    """A scene whose every landmark is a dot of its own colour on a disc; what is placed nowhere in FACE lies between the eyes."""
    random = np.random.default_rng(number)
    side, unit = 176, 35.0
    light, cover, points = [], [], []
    for _ in range(2):
        at = np.full((COUNT, 2), 0.0) + random.normal(0, 0.02, (COUNT, 2))
        for i, place in FACE.items():
            at[i] = np.array(place) + random.normal(0, 0.05, 2)
        at[range(37, 39)] = at[range(40, 42)] = at[RIGHT_PUPIL] = (at[36] + at[39]) / 2
        at[range(43, 45)] = at[range(46, 48)] = at[LEFT_PUPIL] = (at[42] + at[45]) / 2
        pixels = at * unit + side / 2 - [0, 0.5 * unit]
        picture = np.full((side, side, 3), 0.05, np.float32)
        mask = np.zeros((side, side), np.uint8)
        cv2.circle(mask, (side // 2, side // 2), 80, 255, -1)
        for k, i in enumerate([*FACE, RIGHT_PUPIL, LEFT_PUPIL]):
            colour = np.array([k % 3, k // 3 % 3, 2 - k % 2]) / 2
            cv2.circle(picture, (round(float(pixels[i, 0])), round(float(pixels[i, 1]))), 4, tuple(map(float, colour)), -1)
        light.append(picture * (mask[..., None] > 0))
        cover.append(mask / 255)
        points.append(pixels)
    folder.mkdir(parents=True)
    np.save(folder / "light.npy", np.round(65535 * np.sqrt(np.array(light) / BRIGHTEST)).astype(np.uint16))
    np.save(folder / "cover.npy", np.round(255 * np.array(cover)).astype(np.uint8))
    np.save(folder / "points.npy", np.array(points, np.float32))


def from_the_front() -> np.ndarray:
    """The landmarks of FACE in a picture of 176×176, float32 70×2; what it does not name lies between the eyes."""
    points = np.tile(np.float32([88, 70]), (COUNT, 1))
    for i, place in {**FACE, 57: (0, 1.45)}.items():
        points[i] = np.array(place) * 35 + [88, 70]
    points[37:39] = points[40:42] = points[RIGHT_PUPIL] = (points[36] + points[39]) / 2
    points[43:45] = points[46:48] = points[LEFT_PUPIL] = (points[42] + points[45]) / 2
    return points


# Without the base mesh


def test_a_sample_shows_the_scene_where_its_points_say(tmp_path: Path) -> None:
    dotted(tmp_path / "000001", 1)
    scene = heads_data.load(tmp_path / "000001")
    found = 0
    for number in range(12):
        made = heads_data.sample(scene, 0, np.random.default_rng(number), plain=True)
        assert made.picture.shape == (SIDE, SIDE, 3) and made.points.shape == (COUNT, 2)
        # The two dots of the pupils are the same in the mirror but for their colours; the chin's is itself.
        x, y = made.points[8] * SIDE
        if 6 < x < SIDE - 6 and 6 < y < SIDE - 6:
            patch = made.picture[int(y) - 1 : int(y) + 2, int(x) - 1 : int(x) + 2].reshape(-1, 3).mean(0)
            around = made.picture[int(y) - 6, int(x) - 6 : int(x) + 7].mean(0)
            assert np.abs(patch - around).max() > 25
            found += 1
    assert found > 6


def test_a_bent_face_takes_its_points_along() -> None:
    """A picture of dots at some landmarks, bent: the dots must be where the points went."""
    points = from_the_front()
    matrix = window_of_points(points.astype(float)).matrix()
    moved = 0.0
    for number in range(6):
        bend = heads_data.Bend.drawn(points, np.random.default_rng(number))
        back = bend.back(points.astype(float))
        assert np.allclose(bend(back), points, atol=0.01)
        moved = max(moved, float(np.abs(back - points)[[8, 30, 48]].max()))
        for i in (8, 30, 48):
            picture = np.zeros((176, 176, 1), np.float32)
            y, x = np.mgrid[0:176, 0:176] + 0.5
            picture[..., 0] = np.exp(-((x - points[i, 0]) ** 2 + (y - points[i, 1]) ** 2) / 8)
            seen = heads_data._seen(picture, matrix, bend)
            v, u = np.mgrid[0:SIDE, 0:SIDE] + 0.5
            at = np.array([(u * seen).sum(), (v * seen).sum()]) / seen.sum()
            assert np.abs(matrix[:, :2] @ back[i] + matrix[:, 2] - at).max() < 0.5
    assert moved > 2


def test_a_bend_moves_the_chin_aside_of_what_the_eyes_tell() -> None:
    """Told from the eyes alone, the chin must be wrong by as much as people's are lopsided, to either side."""
    points = from_the_front()
    aside = []
    for number in range(200):
        back = heads_data.Bend.drawn(points, np.random.default_rng(number)).back(points.astype(float))
        aside.append((back[8, 0] - back[[36, 39, 42, 45], 0].mean()) / 35)
    assert 0.04 < np.std(aside) < 0.12 and abs(np.mean(aside) - (points[8, 0] - points[[36, 39, 42, 45], 0].mean()) / 35) < 0.02


def test_close_looks_hold_the_eyes_or_the_chin() -> None:
    points = from_the_front()
    held: list[tuple[bool, bool]] = []
    for number in range(200):
        window = heads_data.aimed(points, np.random.default_rng(number))
        if window.unit < 0.8 * window_of_points(points.astype(float)).unit:
            at = points @ window.matrix()[:, :2].T + window.matrix()[:, 2]
            inside = ((at > 0) & (at < SIDE)).all(1)
            held.append((bool(inside[[36, 45, 48, 54]].all()), bool(inside[[8, 48, 54]].all())))
    eyes, chins = np.mean(held, 0)
    assert all(a or b for a, b in held) and eyes > 0.4 and chins > 0.3


def test_a_mirrored_sample_keeps_the_subjects_own_sides(tmp_path: Path) -> None:
    dotted(tmp_path / "000001", 1)
    scene = heads_data.load(tmp_path / "000001")
    for number in range(8):
        points = heads_data.sample(scene, 0, np.random.default_rng(number), plain=True).points
        assert points[RIGHT_PUPIL, 0] < points[LEFT_PUPIL, 0] and points[48, 0] < points[54, 0]


def test_one_scene_of_twenty_is_held_out(tmp_path: Path) -> None:
    for number in (0, 1, 20, 39):
        dotted(tmp_path / f"{number:06d}", number)
    assert [f.name for f in heads_data.find(tmp_path, held_out=True)] == ["000000", "000020"]
    assert [f.name for f in heads_data.find(tmp_path, held_out=False)] == ["000001", "000039"]


def test_the_network_learns_eight_pictures(tmp_path: Path) -> None:
    for number in range(1, 5):
        dotted(tmp_path / f"{number:06d}", number)
    samples = heads_data.Samples(heads_data.find(tmp_path, held_out=False), 0, length=8, plain=True)
    batch = [torch.stack(part) for part in zip(*(samples[i] for i in range(8)))]
    torch.manual_seed(0)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    network = heads_network.LandmarkNet().train()
    optimizer = torch.optim.AdamW([p for p in network.parameters() if p.requires_grad], 3e-3)
    losses = []
    for _ in range(40):
        found = heads_train.step(network, batch, half=False)
        optimizer.zero_grad()
        found["loss"].backward()
        optimizer.step()
        losses.append(float(found["distance"].detach()))
    torch.set_num_threads(threads)
    assert losses[-1] < 0.25 * losses[0]
    assert losses[-1] < 0.2


def test_the_file_computes_what_the_network_computes(tmp_path: Path) -> None:
    torch.manual_seed(1)
    network = heads_network.LandmarkNet()
    for module in network.modules():  # statistics that matter when they are folded in
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
            module.weight.data.uniform_(0.5, 1.5)
    heads_network.save(network, tmp_path / "weights.safetensors")
    network = heads_network.load(tmp_path / "weights.safetensors").eval()
    data = heads_network.to_onnx(network)
    assert len(data) <= 1_000_000
    assert heads_network.difference(network, data) < heads_network.TOLERANCE


def test_a_batch_in_the_mirror_keeps_its_sides() -> None:
    pictures = torch.arange(2 * 3 * 4 * 4, dtype=torch.uint8).reshape(2, 3, 4, 4)
    points = torch.rand(2, COUNT, 2)
    batch = [pictures, points, torch.ones(2)]
    once = heads_train.mirrored(batch)
    assert torch.equal(once[0][..., 0], pictures[..., 3])
    assert torch.allclose(once[1][:, 48], torch.tensor([1.0, 0.0]) + points[:, 54] * torch.tensor([-1.0, 1.0]))
    assert all(torch.allclose(a.float(), b.float()) for a, b in zip(heads_train.mirrored(once), batch))


def test_places_are_those_of_the_add_on() -> None:
    from addon.vision.face_network import places

    maps = np.random.default_rng(0).normal(0, 3, (COUNT, CELLS, CELLS)).astype(np.float32)
    assert np.allclose(heads_network.places(torch.from_numpy(maps)[None])[0].numpy(), places(maps), atol=1e-5)


def test_points_of_portraits_go_through_the_variants() -> None:
    entry = json.loads(score_heads.PORTRAITS.read_text(encoding="utf-8"))["faces"][0]
    points = {k: np.array(p) for k, p in entry["points"].items()}
    portrait = score_heads.Portrait("a", np.zeros((512, 512, 3), np.uint8), points)
    twice = score_heads.mirrored(score_heads.mirrored(portrait))
    assert twice.points.keys() == points.keys() and all(np.allclose(twice.points[k], points[k]) for k in points)
    assert score_heads.mirrored(portrait).points["68"][0] < score_heads.mirrored(portrait).points["69"][0]
    for variant in score_heads.VARIANTS.values():
        assert variant(portrait).unit == pytest.approx(portrait.unit, rel=1e-6)


# Heads, from the human base mesh


def test_a_head_is_rendered_and_its_points_project_into_the_picture(folder: Path) -> None:
    pytest.importorskip("bpy")
    from training import heads

    light, cover, points = heads.draw(3, folder, threads=1, views=2)
    assert light.shape == (2, heads.SIDE, heads.SIDE, 3) and points.shape == (2, COUNT, 2)
    for picture, alpha, at in zip(light, cover, points):
        assert 0.2 < alpha.mean() < 0.95 and picture[alpha > 0.5].mean() == pytest.approx(heads.MEAN, rel=0.4)
        inner = at[[*range(27, COUNT)]]
        assert (inner > 0).all() and (inner < heads.SIDE).all()
        assert (alpha[inner[:, 1].astype(int), inner[:, 0].astype(int)] > 0.5).all()
        assert heads.PUPILS * 0.5 < window_of_points(at.astype(float)).unit < heads.PUPILS * 1.5


def test_landmarks_lie_as_they_do_on_a_face(folder: Path) -> None:
    from training.heads_mesh import head

    for seed in range(3):
        someone = head(folder, np.random.default_rng(seed))
        x, y, z = someone.points.T  # x to the subject's left, z up
        assert z[8] < z[57] < z[51] < z[33] < z[27] and y[30] == y[27:36].min()
        assert (x[LEFT_EYE] > 0).all() and x[45] > x[44] > x[43] > x[42] and z[[43, 44]].min() >= z[[46, 47]].max() - 1e-4
        assert (x[:8] < 0).all() and (x[9:17] > 0).all() and x[16] > x[12] > x[9]
        across = someone.points - someone.points[list(MIRROR)] * [-1, 1, 1]
        assert np.linalg.norm(across, axis=1).max() < 0.25 * someone.pupils  # faces are lopsided, but not so much
