import math

import pytest
import torch

from ganzoo.errors import DataError
from ganzoo_toys.points import MixtureDataset, gaussians_8, gaussians_25, swiss_roll


def test_the_ring_has_radius_2_and_eight_modes() -> None:
    data = gaussians_8()
    assert torch.allclose(data.centres.norm(dim=1), torch.full((8,), 2.0))
    assert data.centres[2].tolist() == pytest.approx([0.0, 2.0], abs=1e-6)
    gaps = (data.centres - data.centres.roll(1, 0)).norm(dim=1)
    assert torch.allclose(gaps, torch.full((8,), 4 * math.sin(math.pi / 8)))


def test_the_grid_is_5_by_5_from_minus_4_to_4() -> None:
    centres = {tuple(c) for c in gaussians_25().centres.tolist()}
    assert centres == {(x, y) for x in (-4.0, -2.0, 0.0, 2.0, 4.0) for y in (-4.0, -2.0, 0.0, 2.0, 4.0)}


@pytest.mark.parametrize(("make", "sigma"), [(gaussians_8, 0.02), (gaussians_25, 0.05)])
def test_labels_are_the_modes_and_each_mode_is_a_round_gaussian(make: type[MixtureDataset], sigma: float) -> None:
    data = make(split="train")
    assert len(data) == 100_000
    assert data.labels is not None
    counts = torch.bincount(data.labels)
    assert int(counts.max() - counts.min()) <= 1
    for k, centre in enumerate(data.centres):
        points = data.points[data.labels == k].double()
        error = 5 * sigma / len(points) ** 0.5
        assert torch.allclose(points.mean(0), centre.double(), atol=error)
        assert torch.allclose(points.T.cov(), sigma**2 * torch.eye(2).double(), atol=0.1 * sigma**2)


def test_the_swiss_roll_is_a_spiral() -> None:
    points = swiss_roll().points.double() * 7.5
    radius, angle = points.norm(dim=1), torch.atan2(points[:, 1], points[:, 0])
    # Along the spiral the radius is the angle plus whole turns; noise of 0.25 across it, much less in the angle.
    off = (radius - angle + math.pi) % (2 * math.pi) - math.pi
    assert float(off.mean()) == pytest.approx(0.0, abs=0.02)
    assert float(off.std()) == pytest.approx(0.25, abs=0.02)
    assert 1.5 * math.pi - 1.5 < float(radius.min()) < 1.5 * math.pi
    assert 4.5 * math.pi < float(radius.max()) < 4.5 * math.pi + 1.5


@pytest.mark.parametrize("make", [gaussians_8, gaussians_25, swiss_roll])
def test_a_split_is_the_same_each_time_and_splits_share_no_point(make: type[MixtureDataset]) -> None:
    first, again, test = make(split="train"), make(split="train"), make(split="test")
    assert first.sha256 == again.sha256 != test.sha256
    assert not (first.points == test.points).all(1).any()
    assert (first.name.endswith("/train"), test.name.endswith("/test")) == (True, True)


@pytest.mark.parametrize("make", [gaussians_8, gaussians_25, swiss_roll])
def test_an_unknown_split(make: type[MixtureDataset]) -> None:
    with pytest.raises(DataError, match="'validation'[\\s\\S]*train or test"):
        make(split="validation")


def test_drawing_leaves_the_global_random_state_alone() -> None:
    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)
    gaussians_8()
    swiss_roll()
    assert torch.equal(torch.rand(1), expected)
