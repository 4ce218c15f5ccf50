"""What one player sees in one turn: the ground on which losses' additions and regularisers are computed.

Examples and scores are made when they are first asked for, so a regulariser that looks at real examples only costs no pass
that makes or judges generated ones. Outputs and logits are in single precision at least, whatever the networks compute in.
"""

from collections.abc import Callable, Collection
from functools import cached_property
from typing import Any, Literal

from torch import Tensor

from ganzoo.models import Discriminator, Generator, Judgement
from ganzoo.training.draws import Draws
from ganzoo.training.precision import precise

Augment = Callable[[Tensor], Tensor]
Side = Literal["real", "fake"]


class DiscriminatorTurn:
    """An update of the discriminator.

    Attributes:
        discriminator: Whose turn it is.
        plain_real: Real examples ``[N, ...]`` before augmentation; require a gradient where a regulariser of this turn needs
            it, which then goes through the augmentation.
        c_real: Classes of the real examples, int64 ``[N]``, or None.
        c_fake: Classes of the generated examples.
        augment: The recipe's augmentation with fresh draws.
        draws: Random numbers.
        images: Real examples shown before this step.
    """

    def __init__(
        self,
        discriminator: Discriminator,
        real: Tensor,
        make_fake: Callable[[], Tensor],
        *,
        c_real: Tensor | None = None,
        c_fake: Tensor | None = None,
        augment: Augment,
        draws: Draws,
        gradients: Collection[Side] = (),
        images: int = 0,
    ) -> None:
        self.discriminator, self.augment, self.draws, self.images = discriminator, augment, draws, images
        self.plain_real, self._make_fake = real.detach().requires_grad_("real" in gradients), make_fake
        self.c_real, self.c_fake = c_real, c_fake
        self._gradients = gradients

    @cached_property
    def plain_fake(self) -> Tensor:
        """Generated examples ``[N, ...]`` before augmentation, without the generator's graph; like `plain_real`."""
        return precise(self._make_fake()).detach().requires_grad_("fake" in self._gradients)

    @cached_property
    def real(self) -> Tensor:
        """Real examples as the discriminator sees them."""
        return self.augment(self.plain_real)

    @cached_property
    def fake(self) -> Tensor:
        """Generated examples as the discriminator sees them."""
        return self.augment(self.plain_fake)

    @cached_property
    def real_judgement(self) -> Judgement:
        """What the discriminator says of `real`."""
        return self.judge(self.real, self.c_real)

    @cached_property
    def fake_judgement(self) -> Judgement:
        """What the discriminator says of `fake`."""
        return self.judge(self.fake, self.c_fake)

    def judge(self, x: Tensor, c: Tensor | None) -> Judgement:
        """What the discriminator says of other examples."""
        return _judged(self.discriminator, x, c)

    @property
    def real_scores(self) -> Tensor:
        """Logits ``[N]`` of `real`."""
        return self.real_judgement.scores

    @property
    def fake_scores(self) -> Tensor:
        """Logits ``[N]`` of `fake`."""
        return self.fake_judgement.scores


class GeneratorTurn:
    """An update of the generator. The discriminator's parameters require no gradient while it lasts.

    Attributes:
        generator: Whose turn it is.
        discriminator: The judge.
        z: Latents ``[N, ...]``.
        c: Classes of the generated examples, int64 ``[N]``, or None.
        plain_real: Real examples before augmentation.
        c_real: Their classes.
        augment: The recipe's augmentation with fresh draws.
        draws: Random numbers.
        images: Real examples shown before this step.
    """

    def __init__(
        self,
        generator: Generator[Any],
        discriminator: Discriminator,
        z: Tensor,
        *,
        c: Tensor | None = None,
        plain_real: Tensor,
        c_real: Tensor | None = None,
        augment: Augment,
        draws: Draws,
        images: int = 0,
    ) -> None:
        self.generator, self.discriminator = generator, discriminator
        self.z, self.c, self.plain_real, self.c_real = z, c, plain_real, c_real
        self.augment, self.draws, self.images = augment, draws, images

    @cached_property
    def output(self) -> Tensor:
        """What the generator makes of `z`, before augmentation, with its graph."""
        return self.generate(self.z)

    @cached_property
    def fake_judgement(self) -> Judgement:
        """What the discriminator says of the augmented `output`."""
        return _judged(self.discriminator, self.augment(self.output), self.c)

    @property
    def fake_scores(self) -> Tensor:
        """Logits ``[N]`` of generated examples."""
        return self.fake_judgement.scores

    @cached_property
    def real_scores(self) -> Tensor:
        """Logits ``[N]`` of real examples, for losses that compare."""
        return _judged(self.discriminator, self.augment(self.plain_real).detach(), self.c_real).scores

    def generate(self, z: Tensor) -> Tensor:
        """The generator's output for other latents of the same classes."""
        return precise(self.generator(z) if self.c is None else self.generator(z, self.c))


def _judged(discriminator: Discriminator, x: Tensor, c: Tensor | None) -> Judgement:
    judgement = discriminator.judge(x, c)
    logits = judgement.class_logits
    return Judgement(precise(judgement.scores), None if logits is None else precise(logits))
