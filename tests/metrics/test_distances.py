import pytest
import torch

from ganzoo.metrics import distances as module
from ganzoo.metrics.distances import by_rows, distances, radii


@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_they_equal_the_plain_ones(offset: float) -> None:
    rng = torch.Generator().manual_seed(0)
    a, b = torch.randn(50, 300, generator=rng).double() + offset, torch.randn(70, 300, generator=rng).double() + offset
    b[:20] = a[:20] + 1e-7  # nearer than inner products can tell
    expected = (a[:, None] - b[None]).square().sum(2).sqrt()
    assert torch.allclose(distances(a, b), expected, rtol=1e-9, atol=1e-12)


def test_equal_points_have_distance_zero_in_any_number() -> None:
    rng = torch.Generator().manual_seed(0)
    points = torch.randn(40, 64, generator=rng) * 1000
    for copies in (1, 40):  # few equal pairs, and so many that all are computed the slow way
        many = torch.cat([points, points[:1].expand(copies * 10, -1)])
        found = distances(many, many)
        assert float(found.diagonal().abs().max()) == 0.0
        assert float(found[40:, 40:].max()) == 0.0


def test_rows_come_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    points = torch.randn(25, 3, generator=torch.Generator().manual_seed(0)).double()
    whole, nearest = distances(points, points), radii(points, 2)
    monkeypatch.setattr(module, "CHUNK", 7)
    monkeypatch.setattr(module, "_FEW", 4)
    assert torch.allclose(torch.cat(list(by_rows(points, points))), whole)
    assert torch.allclose(radii(points, 2), nearest)
    assert torch.allclose(nearest, whole.sort(dim=1).values[:, 2])
