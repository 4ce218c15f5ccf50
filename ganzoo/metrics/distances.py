"""Euclidean distances between sets of features, fast and also right where points coincide."""

from collections.abc import Iterator

import torch
from torch import Tensor

CHUNK = 1024  # rows of the distance matrix held at once
_NEAR = 1e-6  # of the squared lengths: below, the difference of inner products has lost too many digits
_FEW = 2**22  # numbers gathered at once


def distances(a: Tensor, b: Tensor) -> Tensor:
    """Euclidean distances ``[N, M]`` of rows ``[N, D]`` and ``[M, D]`` in float64, to 1e-10 relative.

    ``|a|^2 + |b|^2 - 2 a.b`` is six times as fast as summing squared differences, but makes the distance of equal points
    something like 1e-7 instead of 0: then duplicates, as a collapsed generator makes, lie outside of their own balls. So
    pairs that come out near are computed again from their differences.
    """
    a, b = a.double(), b.double()
    lengths = a.square().sum(1)[:, None] + b.square().sum(1)[None]
    squared = torch.addmm(lengths, a, b.T, alpha=-2)
    near = squared < _NEAR * lengths
    pairs = int(near.sum())
    if pairs > near.numel() // 8:  # gathering them would cost more than computing everything
        return torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist")
    if pairs:
        rows, columns = near.nonzero(as_tuple=True)
        size = max(1, _FEW // a.shape[1])
        pieces = zip(torch.split(rows, size), torch.split(columns, size), strict=True)
        exact = [(a[r] - b[c]).square().sum(1) for r, c in pieces]
        squared[rows, columns] = torch.cat(exact)
    return squared.clamp_(min=0).sqrt_()


def by_rows(a: Tensor, b: Tensor) -> Iterator[Tensor]:
    """The distances of ``a`` and ``b``, some rows at a time."""
    for start in range(0, len(a), CHUNK):
        yield distances(a[start : start + CHUNK], b)


def radii(points: Tensor, k: int) -> Tensor:
    """Distance ``[N]`` of each point to its ``k``-th nearest neighbour; the point itself does not count."""
    found = []
    for start, chunk in zip(range(0, len(points), CHUNK), by_rows(points, points), strict=True):
        rows = torch.arange(len(chunk))
        chunk[rows, start + rows] = -1.0  # itself comes first, also when it has duplicates
        found.append(chunk.kthvalue(k + 1, dim=1).values)
    return torch.cat(found)
