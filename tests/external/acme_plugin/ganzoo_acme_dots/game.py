"""Parts of the adversarial game."""

from torch import Tensor

from ganzoo.training import AdversarialLoss, DiscriminatorRegularizer, DiscriminatorTurn, Draws


def _discriminator(real: Tensor, fake: Tensor, smoothing: float) -> Tensor:
    return (-real).exp().mean() + fake.exp().mean()


def _generator(fake: Tensor, real: Tensor | None) -> Tensor:
    return (-fake).exp().mean()


EXPONENTIAL = AdversarialLoss(
    name="acme-exponential",
    discriminator=_discriminator,
    generator=_generator,
    smoothing=False,
    compares=False,
    zero_centred=True,
)


class Drift(DiscriminatorRegularizer):
    """The mean squared score of real examples (Karras et al. 2018, app. A.1)."""

    default_weight = 0.001

    def penalty(self, turn: DiscriminatorTurn) -> Tensor:
        """Scalar."""
        return turn.real_scores.square().mean()


def negative(images: Tensor, draws: Draws, p: float) -> Tensor:
    """Each image turned into its negative with probability ``p``."""
    turned = draws.uniform(len(images), 1, 1, 1, like=images) < p
    return images.where(~turned, -images)
