"""The network, its losses and its export: what is folded computes the same, what is learnt goes down, what runs it agrees."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

from addon.errors import InputError  # noqa: E402
from addon.vision.networks.onnx_graph import read_graph  # noqa: E402
from training import export, losses, network, train  # noqa: E402

torch.set_num_threads(1)

SMALL = network.Plan(widths=(8, 12, 16, 24, 32), blocks=(1, 1, 2, 1), decoder=(16, 12, 12, 8))


def lively(plan: network.Plan = SMALL, seed: int = 0) -> network.Network:
    """A network whose normalisation is not the identity that it begins as."""
    torch.manual_seed(seed)
    made = network.Network(plan)
    for module in made.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.2)
            torch.nn.init.uniform_(module.bias, -0.3, 0.3)
            module.running_mean.uniform_(-0.3, 0.3)
            module.running_var.uniform_(0.5, 2.0)
    torch.nn.init.normal_(made.head.weight, 0, 0.1)
    torch.nn.init.normal_(made.view[2].weight, 0, 0.1)
    return made.eval()


def image(height: int = 64, width: int = 96, seed: int = 0) -> np.ndarray:
    values = np.random.default_rng(seed).random((1, 4, height, width), np.float32)
    values[0, 3] = np.linspace(-1, 1, height)[:, None]
    return values


def scene(count: int = 2, height: int = 64, width: int = 64, seed: int = 0) -> dict[str, torch.Tensor]:
    """Boxes on a floor under a sky, all of it known."""
    random = np.random.default_rng(seed)
    h, w = height // 2, width // 2
    disparity = np.repeat(np.maximum(np.arange(h) - h * 0.4, 0)[:, None], w, 1).astype(np.float32)[None].repeat(count, 0) / h
    photos = np.zeros((count, 3, height, width), np.uint8)
    for i in range(count):
        x, d = random.integers(2, w - 10), random.uniform(0.3, 0.5)
        disparity[i, h // 4 : h * 3 // 4, x : x + 7] = d
    photos[:] = (np.kron(disparity, np.ones((2, 2)))[:, None] * 300).clip(0, 255)
    normals = np.zeros((count, 3, h, w), np.int8)
    normals[:, 1] = -127 * (disparity > 0)
    edges = (np.abs(np.diff(disparity, axis=2, prepend=0)) > 0.1).astype(np.uint8)
    view = np.tile(np.array([0.4, 0.0, -0.5], np.float32), (count, 1))
    truth = {"image": photos, "disparity": disparity, "edges": edges, "normals": normals, "view": view}
    return {name: torch.from_numpy(np.ascontiguousarray(value)) for name, value in truth.items()}


def test_the_network_is_as_large_as_a_zip_can_carry() -> None:
    assert 2e6 < sum(p.numel() for p in network.fused(network.Network()).parameters()) < 6e6


def test_folding_the_normalisation_changes_nothing() -> None:
    made = lively()
    wanted, got = export.pytorch(made)(image()), export.pytorch(network.fused(made))(image())
    assert got[0].shape == (1, 4, 32, 48) and got[1].shape == (1, 3)
    assert np.ptp(wanted[0]) > 0.1
    assert export.difference(wanted, got) < 1e-4


@pytest.mark.parametrize("half", [False, True])
def test_one_file_runs_at_any_size_as_torch_does(half: bool) -> None:
    made = lively()
    data = export.to_onnx(made, half=half)
    runs = [export.opencv(data)]
    if importlib.util.find_spec("onnxruntime"):
        runs.append(export.onnxruntime(data))
    for h, w in ((64, 96), (192, 256), (96, 64)):  # the same networks, one size after the other
        wanted = export.pytorch(made)(image(h, w))
        for run in runs:
            got = run(image(h, w))
            assert got[0].shape == (1, 4, h // 2, w // 2)
            assert export.difference(wanted, got) < (1e-2 if half else 1e-4)


def test_the_file_says_what_the_product_expects(tmp_path) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(export.to_onnx(lively()))
    graph = read_graph(path)
    assert [value.name for value in graph.inputs] == ["image"] and [value.name for value in graph.outputs] == ["maps", "view"]


def test_the_export_notices_other_numbers() -> None:
    made, other = lively(seed=0), lively(seed=1)
    assert export.compare(made, export.to_onnx(other), image())["OpenCV"] > export.TOLERANCE


def test_weights_come_back_from_their_file(tmp_path) -> None:
    made = lively()
    network.save(made, tmp_path / "a.safetensors")
    back = network.load(tmp_path / "a.safetensors")
    assert back.plan == SMALL
    assert export.difference(export.pytorch(made)(image()), export.pytorch(back)(image())) < 1e-2
    (tmp_path / "b.safetensors").write_bytes((tmp_path / "a.safetensors").read_bytes()[:500])
    for name in ("b.safetensors", "none.safetensors"):
        with pytest.raises(InputError, match=name):
            network.load(tmp_path / name)


def maps_of(disparity: torch.Tensor) -> torch.Tensor:
    maps = torch.zeros(len(disparity), 7, *disparity.shape[1:])
    maps[:, 0] = disparity
    return maps


def test_scale_and_shift_of_the_disparity_are_free_but_not_its_sense() -> None:
    truth = scene()
    goal = losses.target(truth["disparity"]).disparity
    for right in (goal, 3 * goal + 5):
        _, parts = losses.losses(maps_of(right), truth["view"], truth)
        assert parts["align"] < 1e-3 and parts["gradient"] < 1e-3 and parts["local"] < 0.05
    _, inverted = losses.losses(maps_of(-goal), truth["view"], truth)
    assert inverted["align"] > 0.1 and inverted["rank"] > 2 * parts["rank"] and inverted["local"] > 0.5


def test_metres_and_what_is_unknown_do_not_matter() -> None:
    truth = scene()
    goal = losses.target(truth["disparity"])
    farther = losses.target(truth["disparity"] / 7)
    assert torch.allclose(goal.disparity, farther.disparity, atol=1e-5) and torch.allclose(goal.weight, farther.weight, rtol=1e-4)
    truth["disparity"][:, :, 20:] = -1
    found = []
    for junk in (0.0, 50.0):
        maps = maps_of(goal.disparity * 0.8 + 0.1 * torch.rand(goal.disparity.shape, generator=torch.Generator().manual_seed(0)))
        maps[:, 0, :, 20:] = junk
        torch.manual_seed(0)
        found.append(float(losses.losses(maps, truth["view"], truth)[0]))
    assert found[0] == pytest.approx(found[1], abs=1e-5)


def test_each_part_rewards_the_truth() -> None:
    truth = scene()
    goal = losses.target(truth["disparity"]).disparity
    right = maps_of(goal)
    right[:, 1] = (truth["disparity"] == 0).float() * 12 - 6
    right[:, 2] = truth["edges"].float() * 12 - 6
    right[:, 3] = -4
    right[:, 4:] = truth["normals"].float()
    _, good = losses.losses(right, truth["view"], truth)
    _, bad = losses.losses(maps_of(torch.rand(goal.shape)), truth["view"] + 0.3, truth)
    assert set(good) == set(losses.Weights._fields)
    for name, value in good.items():
        assert value < 0.6 * bad[name] + 1e-3, name


@pytest.mark.parametrize("half", [False, True])
def test_steps_on_one_batch_lower_the_loss(half: bool) -> None:
    torch.manual_seed(0)
    made = network.Network(SMALL)
    optimise = train.optimiser(made, 2e-3)
    truth = scene(4)
    mean = train.Mean(made)
    found = []
    for _ in range(12):
        found.append(train.step(made, optimise, truth, half=half)["loss"])
        mean.update(made)
    assert np.mean(found[-3:]) < 0.8 * found[0]
    change = mean.network.head.weight - network.Network(SMALL).head.weight
    assert torch.isfinite(change).all() and mean.steps == 12


def test_the_learning_rate_rises_then_falls_to_the_end() -> None:
    rates = [train.rate(share, 1.0) for share in np.linspace(0, 1, 101)]
    assert max(rates) == pytest.approx(1.0, abs=0.01) and np.argmax(rates) == 2
    assert rates[0] < 0.1 and rates[-1] == pytest.approx(0.01) and all(np.diff(rates[2:]) <= 0)
