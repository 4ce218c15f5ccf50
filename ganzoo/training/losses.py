"""Adversarial losses by name. ``D(x)`` is the discriminator's logit, ``s`` the logistic function, ``E`` the batch mean.

Each has two sides: what the discriminator minimises and what the generator minimises.
"""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional as F

from ganzoo.training.names import unknown

DiscriminatorSide = Callable[[Tensor, Tensor, float], Tensor]
GeneratorSide = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class AdversarialLoss:
    """The two sides of a loss.

    Attributes:
        name: How a recipe calls it.
        discriminator: Of logits of real images ``[N]``, of generated ones ``[N]`` and of the one-sided label smoothing.
        generator: Of logits of generated images ``[N]``.
        smoothing: Whether label smoothing means something for it.
    """

    name: str
    discriminator: DiscriminatorSide
    generator: GeneratorSide
    smoothing: bool = False


def cross_entropy_discriminator(real: Tensor, fake: Tensor, smoothing: float) -> Tensor:
    """``-E[(1-a) log s(D(x)) + a log(1 - s(D(x)))] - E[log(1 - s(D(G(z))))]`` with ``a`` = ``smoothing``.

    The negative of V(D, G), Goodfellow et al. 2014, eq. 1; one-sided label smoothing from Salimans et al. 2016, sec. 3.4.
    """
    on_real = (1 - smoothing) * F.softplus(-real) + smoothing * F.softplus(real)
    return on_real.mean() + F.softplus(fake).mean()


def non_saturating_generator(fake: Tensor) -> Tensor:
    """``-E[log s(D(G(z)))]``: the heuristic of Goodfellow et al. 2014, sec. 3; its gradient stays where D is sure."""
    return F.softplus(-fake).mean()


def minimax_generator(fake: Tensor) -> Tensor:
    """``E[log(1 - s(D(G(z))))]``: the generator's part of V(D, G) itself, Goodfellow et al. 2014, eq. 1. It saturates."""
    return -F.softplus(fake).mean()


def least_squares_discriminator(real: Tensor, fake: Tensor, smoothing: float) -> Tensor:
    """``E[(D(x) - 1 + a)^2] / 2 + E[D(G(z))^2] / 2``, Mao et al. 2017, eq. 9 (labels 0 and 1); ``a`` = ``smoothing``."""
    return 0.5 * ((real - 1 + smoothing).square().mean() + fake.square().mean())


def least_squares_generator(fake: Tensor) -> Tensor:
    """``E[(D(G(z)) - 1)^2] / 2``, Mao et al. 2017, eq. 9."""
    return 0.5 * (fake - 1).square().mean()


def hinge_discriminator(real: Tensor, fake: Tensor, smoothing: float) -> Tensor:
    """``E[max(0, 1 - D(x))] + E[max(0, 1 + D(G(z)))]``, Lim and Ye 2017; Miyato et al. 2018, eq. 16."""
    return F.relu(1 - real).mean() + F.relu(1 + fake).mean()


def negative_score_generator(fake: Tensor) -> Tensor:
    """``-E[D(G(z))]``, Miyato et al. 2018, eq. 17; Arjovsky et al. 2017, eq. 3."""
    return -fake.mean()


def wasserstein_discriminator(real: Tensor, fake: Tensor, smoothing: float) -> Tensor:
    """``E[D(G(z))] - E[D(x)]``, Arjovsky et al. 2017, eq. 3. Other means, e.g. a gradient penalty, must keep D Lipschitz."""
    return fake.mean() - real.mean()


_ALL = (
    AdversarialLoss("non-saturating", cross_entropy_discriminator, non_saturating_generator, smoothing=True),
    AdversarialLoss("minimax", cross_entropy_discriminator, minimax_generator, smoothing=True),
    AdversarialLoss("least-squares", least_squares_discriminator, least_squares_generator, smoothing=True),
    AdversarialLoss("hinge", hinge_discriminator, negative_score_generator),
    AdversarialLoss("wasserstein", wasserstein_discriminator, negative_score_generator),
)
LOSSES = {loss.name: loss for loss in _ALL}


def find_loss(name: str) -> AdversarialLoss:
    """The loss of that name.

    Raises:
        ConfigError: there is none; the message has the closest names.
    """
    if name not in LOSSES:
        raise unknown("loss", name, list(LOSSES))
    return LOSSES[name]
