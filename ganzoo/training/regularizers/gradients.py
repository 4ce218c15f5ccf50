"""Penalties on the gradient of the discriminator's logit with respect to its input."""

import torch
from torch import Tensor

from ganzoo.errors import ConfigError
from ganzoo.training.regularizers.base import DiscriminatorRegularizer
from ganzoo.training.regularizers.options import check_flag, check_number
from ganzoo.training.turns import DiscriminatorTurn


def input_gradients(scores: Tensor, x: Tensor) -> Tensor:
    """``dD(x)/dx`` of each example as a row ``[N, D]``, with a graph of its own so that it can be penalised.

    Args:
        scores: Logits ``[N]`` computed from ``x``.
        x: Examples ``[N, ...]`` that require a gradient.
    """
    (gradient,) = torch.autograd.grad(scores.sum(), x, create_graph=True)
    return gradient.flatten(1)


def gradients_at(turn: DiscriminatorTurn, x: Tensor) -> Tensor:
    """`input_gradients` at other points than the turn's own. They are judged as members of the real examples' classes."""
    x = x.detach().requires_grad_(True)
    return input_gradients(turn.judge(x, turn.c_real).scores, x)


def between(turn: DiscriminatorTurn) -> Tensor:
    """A point on the line from each real example to a generated one, uniform: ``u x + (1 - u) G(z)``, ``[N, ...]``.

    Raises:
        ConfigError: the two batches differ in size.
    """
    real, fake = turn.real.detach(), turn.fake.detach()
    if real.shape != fake.shape:
        raise ConfigError(f"Points between real and generated examples need equal batches, not {len(real)} and {len(fake)}.")
    u = turn.draws.uniform(len(real), *[1] * (real.dim() - 1), like=real)
    return u * real + (1 - u) * fake


class R1(DiscriminatorRegularizer):
    """``1/2 E[|grad D(x)|^2]`` on real examples, Mescheder, Geiger and Nowozin 2018, eq. 9. The weight is their gamma.

    The gradient is that with respect to the example itself, through the augmentation (as in Karras et al. 2020a).
    """

    gradients = ("real",)
    second_order = True
    default_weight = 10.0

    def penalty(self, turn: DiscriminatorTurn) -> Tensor:
        """Summed over the entries of an example, averaged over the batch."""
        return 0.5 * input_gradients(turn.real_scores, turn.plain_real).square().sum(1).mean()


class R2(DiscriminatorRegularizer):
    """``1/2 E[|grad D(G(z))|^2]`` on generated examples, Mescheder et al. 2018, eq. 10. The weight is their gamma.

    Through the augmentation, as `R1`.
    """

    gradients = ("fake",)
    second_order = True
    default_weight = 10.0

    def penalty(self, turn: DiscriminatorTurn) -> Tensor:
        """Summed over the entries of an example, averaged over the batch."""
        return 0.5 * input_gradients(turn.fake_scores, turn.plain_fake).square().sum(1).mean()


class WassersteinGradientPenalty(DiscriminatorRegularizer):
    """``E[(|grad D(x')| - 1)^2]`` with ``x'`` between real and generated, Gulrajani et al. 2017, eq. 3. Weight: their lambda.

    Args:
        target: The norm that is wanted; 1 in the paper, 750 in Karras et al. 2018.
        one_sided: Penalise norms above the target only, sec. 4 of the paper.
    """

    second_order = True
    default_weight = 10.0

    def __init__(self, *, target: float = 1.0, one_sided: bool = False) -> None:
        self.target = check_number("target", target, at_least=0)
        self.one_sided = check_flag("one_sided", one_sided)

    def penalty(self, turn: DiscriminatorTurn) -> Tensor:
        """At one random point a pair."""
        excess = torch.linalg.vector_norm(gradients_at(turn, between(turn)), dim=1) - self.target
        penalty: Tensor = (excess.clamp(min=0) if self.one_sided else excess).square().mean()
        return penalty


class Dragan(DiscriminatorRegularizer):
    """``E[(|grad D(x + d)| - k)^2]`` around real examples, ``d ~ N(0, c I)``, Kodali et al. 2017, sec. 2.3.

    The weight is their lambda.

    Args:
        noise: The standard deviation of ``d``, the root of the paper's ``c``, in units of the data (images are in [-1, 1]).
        target: The norm ``k``.
    """

    second_order = True
    default_weight = 10.0

    def __init__(self, *, noise: float = 0.5, target: float = 1.0) -> None:
        self.noise = check_number("noise", noise, above=0)
        self.target = check_number("target", target, at_least=0)

    def penalty(self, turn: DiscriminatorTurn) -> Tensor:
        """At one random point beside each real example."""
        real = turn.real.detach()
        near = real + self.noise * turn.draws.normal(*real.shape, like=real)
        norms: Tensor = torch.linalg.vector_norm(gradients_at(turn, near), dim=1)
        return (norms - self.target).square().mean()


class ZeroCentredGradientPenalty(DiscriminatorRegularizer):
    """``E[|grad D(x')|^2]`` with ``x'`` between real and generated, Thanh-Tung, Tran and Venkatesh 2019 ("0-GP").

    The weight is their lambda. Unlike R1 it has no factor of one half.
    """

    second_order = True
    default_weight = 10.0

    def penalty(self, turn: DiscriminatorTurn) -> Tensor:
        """At one random point a pair."""
        return gradients_at(turn, between(turn)).square().sum(1).mean()
