"""Adversarial losses. ``D(x)`` is the discriminator's logit, ``s`` the logistic function, ``E`` the batch mean.

Each has two sides: what the discriminator minimises and what the generator minimises.
"""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional as F

from ganzoo.errors import InvalidValueError

DiscriminatorSide = Callable[[Tensor, Tensor, float], Tensor]
GeneratorSide = Callable[[Tensor, Tensor | None], Tensor]


@dataclass(frozen=True)
class AdversarialLoss:
    """The two sides of a loss.

    Attributes:
        name: How a recipe calls it.
        discriminator: Of logits of real examples ``[N]``, of generated ones ``[N]`` and of the one-sided label smoothing.
        generator: Of logits of generated examples ``[N]``, and of real ones ``[N]`` where the loss `compares`, else None.
        smoothing: Whether label smoothing means something for it.
        compares: Whether the generator's side needs the logits of real examples.
        zero_centred: Whether a logit above zero means "real": then accuracy and the overfitting measure r_t of Karras et al.
            2020a can be read from its sign.
    """

    name: str
    discriminator: DiscriminatorSide
    generator: GeneratorSide
    smoothing: bool = False
    compares: bool = False
    zero_centred: bool = False


# --- each example by itself -------------------------------------------------------------------------------------------


def cross_entropy_discriminator(real: Tensor, fake: Tensor, smoothing: float) -> Tensor:
    """``-E[(1-a) log s(D(x)) + a log(1 - s(D(x)))] - E[log(1 - s(D(G(z))))]`` with ``a`` = ``smoothing``.

    The negative of V(D, G), Goodfellow et al. 2014, eq. 1; one-sided label smoothing from Salimans et al. 2016, sec. 3.4.
    """
    on_real = (1 - smoothing) * F.softplus(-real) + smoothing * F.softplus(real)
    return on_real.mean() + F.softplus(fake).mean()


def non_saturating_generator(fake: Tensor, real: Tensor | None = None) -> Tensor:
    """``-E[log s(D(G(z)))]``: the heuristic of Goodfellow et al. 2014, sec. 3; its gradient stays where D is sure."""
    return F.softplus(-fake).mean()


def minimax_generator(fake: Tensor, real: Tensor | None = None) -> Tensor:
    """``E[log(1 - s(D(G(z))))]``: the generator's part of V(D, G) itself, Goodfellow et al. 2014, eq. 1. It saturates."""
    return -F.softplus(fake).mean()


def least_squares_discriminator(real: Tensor, fake: Tensor, smoothing: float) -> Tensor:
    """``E[(D(x) - 1 + a)^2] / 2 + E[D(G(z))^2] / 2``, Mao et al. 2017, eq. 9 (labels 0 and 1); ``a`` = ``smoothing``."""
    return 0.5 * ((real - 1 + smoothing).square().mean() + fake.square().mean())


def least_squares_generator(fake: Tensor, real: Tensor | None = None) -> Tensor:
    """``E[(D(G(z)) - 1)^2] / 2``, Mao et al. 2017, eq. 9."""
    return 0.5 * (fake - 1).square().mean()


def hinge_discriminator(real: Tensor, fake: Tensor, smoothing: float) -> Tensor:
    """``E[max(0, 1 - D(x))] + E[max(0, 1 + D(G(z)))]``, Lim and Ye 2017; Miyato et al. 2018, eq. 16."""
    return F.relu(1 - real).mean() + F.relu(1 + fake).mean()


def negative_score_generator(fake: Tensor, real: Tensor | None = None) -> Tensor:
    """``-E[D(G(z))]``, Miyato et al. 2018, eq. 17; Arjovsky et al. 2017, eq. 3."""
    return -fake.mean()


def wasserstein_discriminator(real: Tensor, fake: Tensor, smoothing: float) -> Tensor:
    """``E[D(G(z))] - E[D(x)]``, Arjovsky et al. 2017, eq. 3. Other means, e.g. a gradient penalty, must keep D Lipschitz."""
    return fake.mean() - real.mean()


# --- real against generated -------------------------------------------------------------------------------------------


def relativistic_average_discriminator(real: Tensor, fake: Tensor, smoothing: float) -> Tensor:
    """``-E[log s(D(x) - E D(G(z)))] - E[log(1 - s(D(G(z)) - E D(x)))]``: RaSGAN of Jolicoeur-Martineau 2018, sec. 4."""
    return F.softplus(fake.mean() - real).mean() + F.softplus(fake - real.mean()).mean()


def relativistic_average_generator(fake: Tensor, real: Tensor | None) -> Tensor:
    """``-E[log s(D(G(z)) - E D(x))] - E[log(1 - s(D(x) - E D(G(z))))]``: the same with the parts exchanged."""
    return relativistic_average_discriminator(fake, _given(real), 0.0)


def relativistic_average_least_squares_discriminator(real: Tensor, fake: Tensor, smoothing: float) -> Tensor:
    """``E[(D(x) - E D(G(z)) - 1)^2] + E[(D(G(z)) - E D(x) + 1)^2]``: RaLSGAN of Jolicoeur-Martineau 2018, appendix."""
    return (real - fake.mean() - 1).square().mean() + (fake - real.mean() + 1).square().mean()


def relativistic_average_least_squares_generator(fake: Tensor, real: Tensor | None) -> Tensor:
    """``E[(D(G(z)) - E D(x) - 1)^2] + E[(D(x) - E D(G(z)) + 1)^2]``: the same with the parts exchanged."""
    return relativistic_average_least_squares_discriminator(fake, _given(real), 0.0)


def relativistic_average_hinge_discriminator(real: Tensor, fake: Tensor, smoothing: float) -> Tensor:
    """``E[max(0, 1 - D(x) + E D(G(z)))] + E[max(0, 1 + D(G(z)) - E D(x))]``: RaHingeGAN, Jolicoeur-Martineau 2018, appendix."""
    return F.relu(1 - (real - fake.mean())).mean() + F.relu(1 + (fake - real.mean())).mean()


def relativistic_average_hinge_generator(fake: Tensor, real: Tensor | None) -> Tensor:
    """``E[max(0, 1 - D(G(z)) + E D(x))] + E[max(0, 1 + D(x) - E D(G(z)))]``: the same with the parts exchanged."""
    return relativistic_average_hinge_discriminator(fake, _given(real), 0.0)


def relativistic_pairing_discriminator(real: Tensor, fake: Tensor, smoothing: float) -> Tensor:
    """``-E[log s(D(x) - D(G(z)))]`` over pairs of the two batches: RSGAN of Jolicoeur-Martineau 2018, sec. 4.

    Huang et al. 2024, eq. 2 with ``f(t) = -log(1 + exp(-t))``; they show that it needs both R1 and R2 to converge.

    Raises:
        InvalidValueError: the two batches differ in size.
    """
    if real.shape != fake.shape:
        raise InvalidValueError(f"Pairs need as many real as generated examples, not {len(real)} and {len(fake)}.")
    return F.softplus(fake - real).mean()


def relativistic_pairing_generator(fake: Tensor, real: Tensor | None) -> Tensor:
    """``-E[log s(D(G(z)) - D(x))]`` over pairs, as for the discriminator."""
    return relativistic_pairing_discriminator(fake, _given(real), 0.0)


def _given(real: Tensor | None) -> Tensor:
    if real is None:
        raise InvalidValueError("A relativistic loss compares: its generator's side needs the logits of real examples too.")
    return real


# --- the losses -------------------------------------------------------------------------------------------------------

non_saturating = AdversarialLoss(
    "non-saturating", cross_entropy_discriminator, non_saturating_generator, smoothing=True, zero_centred=True
)
# The StyleGAN papers' name of the same two functions.
logistic = dataclasses.replace(non_saturating, name="logistic")
minimax = AdversarialLoss("minimax", cross_entropy_discriminator, minimax_generator, smoothing=True, zero_centred=True)
# Its labels are 0 and 1, so the border between real and generated is at one half and not at zero.
least_squares = AdversarialLoss("least-squares", least_squares_discriminator, least_squares_generator, smoothing=True)
hinge = AdversarialLoss("hinge", hinge_discriminator, negative_score_generator, zero_centred=True)
wasserstein = AdversarialLoss("wasserstein", wasserstein_discriminator, negative_score_generator)
relativistic_average = AdversarialLoss(
    "relativistic-average", relativistic_average_discriminator, relativistic_average_generator, compares=True
)
relativistic_average_least_squares = AdversarialLoss(
    "relativistic-average-least-squares",
    relativistic_average_least_squares_discriminator,
    relativistic_average_least_squares_generator,
    compares=True,
)
relativistic_average_hinge = AdversarialLoss(
    "relativistic-average-hinge",
    relativistic_average_hinge_discriminator,
    relativistic_average_hinge_generator,
    compares=True,
)
relativistic_pairing = AdversarialLoss(
    "relativistic-pairing", relativistic_pairing_discriminator, relativistic_pairing_generator, compares=True
)


# --- which scores count -----------------------------------------------------------------------------------------------


def top_k_scores(scores: Tensor, share: float) -> Tensor:
    """The best ``max(1, round(share * N))`` of ``scores [N]``, with their graph; with a share of 1 all, as they are.

    The generator learns from its most convincing examples only: Sinha et al. 2020, "Top-k Training of GANs", where the
    share is annealed from 1. It means nothing for a loss that compares.

    Args:
        scores: Logits of generated examples.
        share: How many of them, in (0, 1].

    Raises:
        InvalidValueError: the share is out of range.
    """
    if not 0 < share <= 1:
        raise InvalidValueError(f"The share of the best scores must be above 0 and at most 1, not {share}.")
    return scores if share == 1 else scores.topk(max(1, round(share * len(scores)))).values
