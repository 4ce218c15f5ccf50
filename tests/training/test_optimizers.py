import copy
from typing import Any

import pytest
import torch
from torch import nn

from ganzoo.spec import Optimizer, Schedule
from ganzoo.training.optimizers import build_optimizer, follow_schedule, load_portable_state, portable_state

HALF = Schedule(start=0.8, end=0.2, shape="linear")


def moved(options: Optimizer, steps: int = 3, *, follow: bool = True) -> nn.Parameter:
    """A parameter after steps down the slope of its square, the settings followed at 0, 25, 50 … of 100 images."""
    weight = nn.Parameter(torch.tensor([3.0, -1.0]))
    optimizer = build_optimizer(options, [weight])
    for step in range(steps):
        if follow:
            follow_schedule(optimizer, options, 25 * step, 100)
        optimizer.zero_grad()
        weight.square().sum().backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return weight


@pytest.mark.parametrize(
    ("name", "theirs"),
    [
        ("adam", lambda p: torch.optim.Adam(p, 0.1, betas=(0.2, 0.7), eps=1e-3, weight_decay=0.01)),
        ("adamw", lambda p: torch.optim.AdamW(p, 0.1, betas=(0.2, 0.7), eps=1e-3, weight_decay=0.01)),
        ("rmsprop", lambda p: torch.optim.RMSprop(p, 0.1, momentum=0.2, alpha=0.7, eps=1e-3, weight_decay=0.01)),
        ("sgd", lambda p: torch.optim.SGD(p, 0.1, momentum=0.2, weight_decay=0.01)),
    ],
)
def test_each_name_is_torchs_optimiser_with_these_settings(name: Any, theirs: Any) -> None:
    options = Optimizer(name=name, lr=0.1, betas=(0.2, 0.7), eps=1e-3, weight_decay=0.01)
    weight = nn.Parameter(torch.tensor([3.0, -1.0]))
    optimizer = theirs([weight])
    for _ in range(3):
        optimizer.zero_grad()
        weight.square().sum().backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    assert torch.equal(moved(options), weight)


def test_the_rate_follows_its_schedule() -> None:
    """Gradient descent on x^2 multiplies by 1 - 2 lr: 0.1 times 1, 0.75 and 0.5."""
    weight = moved(Optimizer(name="sgd", lr=Schedule(start=0.1, end=0.0, shape="linear"), betas=(0.0, 0.0)))
    assert weight.tolist() == pytest.approx([3 * 0.8 * 0.85 * 0.9, -0.8 * 0.85 * 0.9], rel=1e-6)


def test_decays_follow_theirs() -> None:
    options = Optimizer(betas=(HALF, Schedule(start=0.9, end=0.99, shape="linear")))
    optimizer = build_optimizer(options, [nn.Parameter(torch.zeros(1))])
    follow_schedule(optimizer, options, 50, 100)
    assert optimizer.param_groups[0]["betas"] == pytest.approx((0.5, 0.945))


def test_lazy_steps_share_the_rate_and_the_memory_of_one() -> None:
    """With a regulariser at every 16th update there are 17/16 steps an update: lr * 16/17 and beta^(16/17)."""
    options = Optimizer(lr=0.002, betas=(0.0, 0.99))
    optimizer = build_optimizer(options, [nn.Parameter(torch.zeros(1))])
    follow_schedule(optimizer, options, 0, 100, steps=1 + 1 / 16)
    (group,) = optimizer.param_groups
    assert group["lr"] == pytest.approx(0.002 * 16 / 17)
    assert group["betas"] == (0.0, pytest.approx(0.99 ** (16 / 17)))


@pytest.mark.parametrize("name", ["adam", "adamw", "rmsprop", "sgd"])
def test_state_goes_out_and_in(name: Any) -> None:
    options = Optimizer(name=name, lr=0.1, betas=(0.2, 0.7))
    first, second = (nn.Parameter(torch.tensor([3.0, -1.0])) for _ in range(2))
    one, other = build_optimizer(options, [first]), build_optimizer(options, [second])
    descend(one, first)
    load_portable_state(other, copy.deepcopy(portable_state(one)))  # a file would not share memory either
    with torch.no_grad():
        second.copy_(first)
    descend(one, first)
    descend(other, second)
    assert torch.equal(first, second)


def descend(optimizer: torch.optim.Optimizer, weight: nn.Parameter) -> None:
    optimizer.zero_grad()
    weight.square().sum().backward()  # type: ignore[no-untyped-call]
    optimizer.step()
