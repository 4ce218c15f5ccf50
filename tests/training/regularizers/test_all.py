"""What holds for every regulariser of the core: its gradient, and that it does not matter how a batch is split."""

from typing import Any

import pytest
import torch
from torch import Tensor

from ganzoo.training.builtin import REGULARIZERS
from ganzoo.training.parts import find
from ganzoo.training.regularizers import DiscriminatorRegularizer, GeneratorRegularizer, Regularizer
from tests.training.regularizers.support import (
    SmoothDiscriminator,
    SmoothGenerator,
    discriminator_turn,
    draws,
    generator_turn,
    same,
)

NAMES = [part.id for part in REGULARIZERS]
RNG = torch.Generator().manual_seed(5)
REAL, FAKE = torch.randn(2, 6, 1, 4, 4, generator=RNG).double()
Z = torch.randn(6, 2, generator=RNG).double()
OPTIONS: dict[str, dict[str, Any]] = {"lecam": {"one_sided": False}, "spectral": {"iterations": 200}}


def made(name: str) -> Regularizer:
    part: Regularizer = find("regulariser", name).from_options(name, OPTIONS.get(name, {}))
    return part


def networks(seed: int) -> tuple[SmoothGenerator, SmoothDiscriminator]:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return SmoothGenerator(), SmoothDiscriminator()


def penalty(part: Regularizer, pair: Any, *, shares: int = 1, share: int = 0, seed: int = 0) -> Tensor:
    """Of one share of the batch."""
    rows = slice(share * (6 // shares), (share + 1) * (6 // shares))
    options: dict[str, Any] = {"draws": draws(seed, shares=shares, share=share)}
    generator, discriminator = pair
    if part.role == "generator":
        return part.penalty(generator_turn(generator, Z[rows], discriminator=discriminator, **options))
    return part.penalty(discriminator_turn(discriminator, REAL[rows], FAKE[rows], part, **options))


def stepped(name: str, pair: Any) -> Regularizer:
    """After one step, so that running averages are there."""
    part = made(name)
    penalty(part, pair, seed=9)
    part.after_step(same)
    return part


@pytest.mark.parametrize("name", NAMES)
def test_it_is_a_scalar_and_says_whose_it_is(name: str) -> None:
    part = made(name)
    assert isinstance(part, GeneratorRegularizer if part.role == "generator" else DiscriminatorRegularizer)
    assert part.default_weight > 0
    assert part.__class__.__doc__ and "weight" in part.__class__.__doc__.lower()
    assert penalty(part, networks(1)).shape == ()


@pytest.mark.parametrize("name", NAMES)
def test_the_gradient_of_the_penalty_is_that_of_finite_differences(name: str) -> None:
    """Second derivatives included, where the penalty itself is one of first derivatives."""
    pair = networks(1)
    part = stepped(name, pair)
    start = part.state()
    network = pair[0] if part.role == "generator" else pair[1]
    parameters = [p for p in network.parameters() if p.dim() > 1]
    gradients = torch.autograd.grad(penalty(part, pair), parameters, allow_unused=True)
    checked = 0
    for parameter, gradient in zip(parameters, gradients, strict=True):
        for place in range(0, parameter.numel(), 3):
            values = []
            for step in (1e-6, -1e-6):
                twin = made(name)
                twin.restore(start)
                with torch.no_grad():
                    parameter.view(-1)[place] += step
                values.append(float(penalty(twin, pair).detach()))
                with torch.no_grad():
                    parameter.view(-1)[place] -= step
            found = 0.0 if gradient is None else float(gradient.reshape(-1)[place])
            assert found == pytest.approx((values[0] - values[1]) / 2e-6, rel=1e-4, abs=1e-6)
            checked += found != 0
    assert checked > 3


@pytest.mark.parametrize("name", NAMES)
def test_the_pieces_of_a_batch_agree_with_the_whole(name: str) -> None:
    """Three processes; two steps, so that what is remembered from the first is the same too."""
    pair = networks(2)
    whole, pieces = made(name), [made(name) for _ in range(3)]
    for step in range(2):
        wanted = penalty(whole, pair, seed=step)
        found = [penalty(part, pair, seed=step, shares=3, share=i) for i, part in enumerate(pieces)]
        assert torch.stack(found).mean().item() == pytest.approx(wanted.item(), rel=1e-9)
        (all_of_it,), thirds = contributions([whole]), contributions(pieces)
        assert torch.allclose(torch.stack(thirds).mean(0), all_of_it)
        for part in pieces:
            part.restore(whole.state())


def contributions(parts: list[Regularizer]) -> list[Tensor]:
    """What each gives to the mean over the processes at the end of a step; zero where it remembers nothing of examples."""
    given = []
    for part in parts:
        seen = [torch.zeros(1)]
        part.after_step(lambda t, seen=seen: seen.append(t) or t)  # type: ignore[misc, func-returns-value]
        given.append(seen[-1])
    return given


@pytest.mark.parametrize("name", NAMES)
def test_accumulated_pieces_agree_with_the_whole(name: str) -> None:
    """One process, the batch in three pieces: one regulariser sees them one after another."""
    pair = networks(3)
    whole, split = made(name), made(name)
    for step in range(2):
        wanted = penalty(whole, pair, seed=step)
        found = [penalty(split, pair, seed=step, shares=3, share=i) for i in range(3)]
        assert torch.stack(found).mean().item() == pytest.approx(wanted.item(), rel=1e-6)
        whole.after_step(same)
        split.after_step(same)
    for key, value in whole.state().items():
        assert torch.allclose(split.state()[key], value, rtol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_the_state_is_tensors_by_plain_keys_and_comes_back(name: str) -> None:
    pair = networks(4)
    part, twin = stepped(name, pair), made(name)
    state = part.state()
    assert all(isinstance(value, Tensor) and "." not in key for key, value in state.items())
    twin.restore({key: value.clone() for key, value in state.items()})
    assert torch.equal(penalty(part, pair), penalty(twin, pair))
