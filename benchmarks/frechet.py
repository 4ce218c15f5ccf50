"""The Fréchet distance of features: ``frechet_from_features`` against the usual way through ``scipy.linalg.sqrtm``.

    export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
    python benchmarks/frechet.py                          # 10,000 x 2,048 features, a minute
    python benchmarks/frechet.py --samples 1000           # singular covariances: fewer samples than features
    python benchmarks/frechet.py --reference-known        # as while training: the reference's statistics are in memory

Both begin with the same float32 features of two sets and end with one number, in float64 between. Prints the CPU seconds of
each, their ratio, and how far the two numbers are apart. Where covariances are singular, the matrix root itself is wrong in the
eighth digit or earlier: there both numbers are also compared with a third way that takes no root of a matrix (see ``exact``).
"""

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from scipy import linalg
from torch import Tensor

from ganzoo.metrics import FeatureBatch, frechet_from_features
from ganzoo.metrics.frechet import frechet_from_batches


def features(samples: int, size: int, seed: int) -> Tensor:
    """Like those of a rectified layer: correlated, none below 0, of very unequal variances."""
    rng = torch.Generator().manual_seed(seed)
    basis = torch.linalg.qr(torch.randn(size, size, generator=torch.Generator().manual_seed(0))).Q
    spread = torch.logspace(0, -3, size)
    return (torch.randn(samples, size, generator=rng) * spread @ basis.T * 10 + 0.3 * (seed + 1) / size**0.5).relu()


def usual(a: Tensor, b: Tensor) -> float:
    """Means and covariances, then the root of the product of the covariances."""
    one, two = a.double().numpy(), b.double().numpy()
    covariances = np.cov(one, rowvar=False), np.cov(two, rowvar=False)
    shift = one.mean(0) - two.mean(0)
    root: Any = linalg.sqrtm(covariances[0] @ covariances[1])
    return float(shift @ shift + np.trace(covariances[0]) + np.trace(covariances[1]) - 2 * np.trace(root).real)


def exact(a: Tensor, b: Tensor) -> float:
    """With centred rows ``X``, ``Y`` the trace of the root is the nuclear norm of ``X Y^T``, over the counts."""
    x, y = (rows.double() - rows.double().mean(0) for rows in (a, b))
    n, m = len(x) - 1, len(y) - 1
    shift = a.double().mean(0) - b.double().mean(0)
    nuclear = torch.linalg.svdvals(x @ y.T).sum() / (n * m) ** 0.5
    return float(shift.square().sum() + x.square().sum() / n + y.square().sum() / m - 2 * nuclear)


def seconds(work: Callable[[], float]) -> tuple[float, float]:
    start = time.process_time()
    value = work()
    return value, time.process_time() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=10_000)
    parser.add_argument("--features", type=int, default=2048)
    parser.add_argument("--reference-known", action="store_true", help="leave the reference's statistics out of our time")
    parser.add_argument("--repeats", type=int, default=1)
    arguments = parser.parse_args()
    a, b = (features(arguments.samples, arguments.features, seed) for seed in (1, 2))
    reference = FeatureBatch(b)
    if arguments.reference_known:
        frechet_from_batches(FeatureBatch(a[:2]), reference)

    def ours() -> float:
        if arguments.reference_known:
            return frechet_from_batches(FeatureBatch(a), reference)
        return frechet_from_features(a, b)

    rounds = [(seconds(ours), seconds(lambda: usual(a, b))) for _ in range(arguments.repeats)]
    (value, _), (expected, _) = rounds[0]
    fast, slow = (min(each[i][1] for each in rounds) for i in (0, 1))
    print(f"{arguments.samples} x {arguments.features} features, {torch.get_num_threads()} threads")
    print(f"scipy.linalg.sqrtm {slow:6.1f} s   {expected:.10g}")
    print(f"ganzoo             {fast:6.1f} s   {value:.10g}")
    print(f"{slow / fast:.1f} times as fast (at least 3); apart by {abs(value - expected) / expected:.1e} relative")
    if arguments.samples <= arguments.features:
        truth = exact(a, b)
        print(f"from the rows themselves   {truth:.10g}: ganzoo is apart by {abs(value - truth) / truth:.1e} (at most 1e-6), "
              f"sqrtm by {abs(expected - truth) / truth:.1e}")  # fmt: skip


if __name__ == "__main__":
    main()
