"""What graphs of a network, exported or compiled, have to agree with: the network itself."""

from typing import Any

import torch
from torch import Tensor


def close(got: Tensor, want: Tensor) -> bool:
    """Whether two results are equal but for the order of sums."""
    return float((got - want).abs().max()) <= 1e-4 * float(want.abs().max())


def check_any_batch(network: Any, given: list[Tensor], counts: tuple[int, ...]) -> None:
    """One exported graph gives what ``network`` gives, for any number of the samples ``given``."""
    batch = torch.export.Dim("batch", min=2, max=64)
    program = torch.export.export(network, tuple(given), dynamic_shapes=tuple({0: batch} for _ in given)).module()
    for count in counts:
        some = [torch.cat([each] * (1 + count // len(each)))[:count] for each in given]
        with torch.no_grad():
            assert close(program(*some), network(*some))


def check_compiled(network: Any, given: list[Tensor]) -> None:
    """Compiled as one graph, ``network`` gives the same, and so do its gradients."""
    torch.compiler.reset()  # there is a limit to how often one function is compiled, whatever the network
    compiled = torch.compile(network, fullgraph=True, backend="aot_eager")
    weights = list(network.parameters())
    ways = [torch.autograd.grad(way(*given).square().sum(), weights, allow_unused=True) for way in (network, compiled)]
    for want, got in zip(*ways, strict=True):
        assert (want is None) == (got is None)
        assert want is None or float((got - want).abs().max()) <= 1e-3 * float(want.abs().max()) + 1e-7
    with torch.no_grad():
        assert close(compiled(*given), network(*given))
