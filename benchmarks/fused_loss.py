"""The fused last layer and cross-entropy against the plain one, forward and backward.

    python benchmarks/fused_loss.py

Both take the mean negative log-likelihood of 64 sentences of 20 tokens, a vocabulary of 5,000 and 32 hidden units, and its
gradients with respect to hidden states, weights and biases, with one thread. Rounds alternate, and the ratio of the medians of
their CPU seconds counts: the plain loss makes three tables of 25 MB, which cost it page faults in most rounds, but not in all.
The ratio of the fastest rounds, without such faults, is printed too, and the largest difference of value and gradients over
their largest entries.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from ganzoo.text.fused import linear_cross_entropy

AT_LEAST = 1.3
Loss = Callable[[Tensor, Tensor, Tensor], Tensor]


def gradients(loss: Loss, leaves: list[Tensor]) -> list[Tensor]:
    value = loss(*leaves)
    return [value.detach(), *torch.autograd.grad(value, leaves)]


def cpu_seconds(loss: Loss, leaves: list[Tensor]) -> float:
    start = time.process_time()
    gradients(loss, leaves)
    return time.process_time() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--rows", type=int, default=64 * 20)
    parser.add_argument("--vocabulary", type=int, default=5000)
    parser.add_argument("--hidden", type=int, default=32)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    rows, vocabulary, size = arguments.rows, arguments.vocabulary, arguments.hidden
    leaves = [torch.randn(rows, size) * 0.5, torch.randn(vocabulary, size) * 0.1, torch.randn(vocabulary) * 0.1]
    leaves = [leaf.requires_grad_() for leaf in leaves]
    targets, weights = torch.randint(vocabulary, (rows,)), torch.full((rows,), 1 / rows)

    def plain(hidden: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        return F.cross_entropy(F.linear(hidden, weight, bias), targets)

    def fused(hidden: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        return linear_cross_entropy(hidden, weight, bias, targets, weights)

    differences = [
        float((ours - theirs).abs().max() / theirs.abs().max())
        for ours, theirs in zip(gradients(fused, leaves), gradients(plain, leaves), strict=True)
    ]
    times = [(cpu_seconds(plain, leaves), cpu_seconds(fused, leaves)) for _ in range(arguments.rounds)]
    print(f"{rows} rows, {vocabulary} tokens, hidden {size}, {arguments.rounds} rounds (at least {AT_LEAST} times faster)")
    for what, of in (("median", statistics.median), ("fastest", min)):
        slow, fast = (of(each) for each in zip(*times, strict=True))
        print(f"{what:7}  plain {slow * 1e3:5.1f} ms, fused {fast * 1e3:5.1f} ms: {slow / fast:.2f} times faster")
    print("largest relative difference of value and gradients: " + ", ".join(f"{d:.1e}" for d in differences))


if __name__ == "__main__":
    main()
