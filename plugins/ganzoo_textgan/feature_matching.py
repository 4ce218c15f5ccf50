"""The adversarial phase of TextGAN: the generator matches features of the discriminator, as distributions."""

from collections.abc import Mapping
from typing import Annotated

import torch
from msgspec import Meta
from torch import Tensor

from ganzoo.errors import ConfigError
from ganzoo.spec import Declaration, Name, Optimizer, PositiveInt, Role, Scheduled, TextRecipe
from ganzoo.text.mmd import mmd2
from ganzoo.text.training import Ground, TextPhase
from ganzoo.training import AdversarialLoss, frozen
from ganzoo.training.parts import find
from ganzoo.training.player import Player
from ganzoo.training.schedules import extremes, value_at
from ganzoo_textgan.pair import draw_z, encoder_of, soft_generator_of

Weight = Annotated[float, Meta(ge=0)]
Positive = Annotated[float, Meta(gt=0)]


class FeatureMatchingOptions(Declaration, frozen=True, kw_only=True):
    """Options of `FeatureMatching`.

    Attributes:
        generator: The optimiser; the recipe's unless given.
        discriminator: The optimiser; the recipe's unless given.
        loss: Name of the adversarial loss whose discriminator's side is ``-L_GAN``.
        lambda_r: Weight of the reconstruction of ``z``.
        lambda_m: Weight of the discrepancy that the discriminator ascends.
        sigmas: Bandwidths of the kernel; each adds its own discrepancy.
        unbiased: Whether the unbiased estimate of the discrepancy is played for, instead of the biased one.
        discriminator_steps: Updates of the discriminator a step.
        generator_steps: Updates of the generator a step, after them.
        sharpness: ``L`` of the soft argmax in this phase, by its steps; the network's own unless given.
    """

    generator: Optimizer | None = None
    discriminator: Optimizer | None = None
    loss: Name = "non-saturating"
    lambda_r: Weight = 0.001
    lambda_m: Weight = 0.001
    sigmas: Annotated[tuple[Positive, ...], Meta(min_length=1)] = (20.0,)
    unbiased: bool = False
    discriminator_steps: PositiveInt = 1
    generator_steps: PositiveInt = 1
    sharpness: Scheduled | None = None


class FeatureMatching(TextPhase[FeatureMatchingOptions]):
    """The game of Zhang et al. 2017, eq. 2-4.

    The discriminator ascends ``L_GAN - lambda_r |z' - z|^2 + lambda_m MMD^2(f, f~)``, the generator descends
    ``MMD^2(f, f~)``: ``f`` are features of real sentences, ``f~`` those of soft generated ones, ``z'`` is what the
    discriminator takes ``z`` for. All terms are means over the batch; ``|.|^2`` is summed over the entries of ``z``.

    The figure ``mmd`` is the unbiased estimate that the generator met. Every process compares its own rows. Sentences have no
    likelihood here, so that nothing is said of held-out ones.
    """

    Options = FeatureMatchingOptions

    def __init__(self, ground: Ground, steps: int, options: FeatureMatchingOptions) -> None:
        super().__init__(ground, steps, options)
        self._encoder = encoder_of(ground, "feature-matching")
        self._soft = soft_generator_of(ground, "feature-matching").soft
        self._loss: AdversarialLoss = find("loss", options.loss)
        self._players = {role: self.player(role, getattr(ground, role)) for role in _ROLES}

    @classmethod
    def check(cls, name: str, options: FeatureMatchingOptions, recipe: TextRecipe) -> None:
        """See `TextPhase.check`."""
        super().check(name, options, recipe)
        find("loss", options.loss)
        if options.sharpness is not None and not extremes(options.sharpness)[0] > 0:
            raise ConfigError(f"phases.{name}.options.sharpness must stay above 0.")
        if options.unbiased and recipe.batch_size < 2:
            raise ConfigError(f"phases.{name}.options.unbiased needs batches of at least 2 sentences.")

    @classmethod
    def sentences_per_step(cls, options: FeatureMatchingOptions, recipe: TextRecipe) -> int:
        """A batch of real and one of generated sentences for each update."""
        return 2 * recipe.batch_size * (options.discriminator_steps + options.generator_steps)

    @classmethod
    def needs_discriminator(cls, options: FeatureMatchingOptions) -> bool:
        """Yes."""
        return True

    def step(self) -> dict[str, float]:
        """The discriminator's updates, then the generator's."""
        for player in self._players.values():
            player.follow(self.done)
        figures = _mean([self._judge() for _ in range(self.options.discriminator_steps)])
        figures |= _mean([self._match() for _ in range(self.options.generator_steps)])
        self.done += 1
        return figures

    def quantities(self, real: Tensor, fake: Tensor, z: Tensor) -> dict[str, Tensor]:
        """What the discriminator's objective is made of: ``gan`` (``-L_GAN``), ``reconstruction`` and ``mmd``, without weights.

        Besides the mean logits ``d_real`` and ``d_fake``, which are only told.

        Args:
            real: Sentences.
            fake: Sentences of ``z``, soft or hard.
            z: ``[N, latent_size]``.
        """
        on_real, on_fake = self._encoder.features(real), self._encoder.features(fake)
        real_scores, fake_scores = map(self.ground.discriminator.score, (on_real, on_fake))
        return {
            "gan": self._loss.discriminator(real_scores, fake_scores, 0.0),
            "reconstruction": (self._encoder.reconstruct(on_fake) - z).square().sum(1).mean(),
            "mmd": mmd2(on_real, on_fake, self.options.sigmas, unbiased=self.options.unbiased),
            "d_real": real_scores.mean(),
            "d_fake": fake_scores.mean(),
        }

    def discriminator_loss(self, quantities: Mapping[str, Tensor]) -> Tensor:
        """What the discriminator descends: the negative of what it ascends in the paper."""
        kept = self.options.lambda_r * quantities["reconstruction"] - self.options.lambda_m * quantities["mmd"]
        return quantities["gan"] + kept

    def _judge(self) -> dict[str, float]:
        real, z = self.ground.real(), draw_z(self.ground)
        with torch.no_grad():
            fake = self._soft(z, self._sharpness)
        found, player = self.quantities(real, fake, z), self._players["discriminator"]
        value = player.descend([self.discriminator_loss(found)])
        player.updates += 1
        told = ("d_real", "d_fake", "reconstruction")
        means = self.ground.processes.mean(torch.stack([found[name].detach() for name in told])).tolist()
        return {"d_loss": value, **dict(zip(told, means, strict=True))}

    def _match(self) -> dict[str, float]:
        real, z, player = self.ground.real(), draw_z(self.ground), self._players["generator"]
        with frozen(self.ground.discriminator):
            on_real, on_fake = self._encoder.features(real), self._encoder.features(self._soft(z, self._sharpness))
            value = player.descend([mmd2(on_real, on_fake, self.options.sigmas, unbiased=self.options.unbiased)])
        player.updates += 1
        apart = mmd2(on_real, on_fake.detach(), self.options.sigmas, unbiased=len(real) > 1)
        return {"g_loss": value, "mmd": float(self.ground.processes.mean(apart))}

    @property
    def _sharpness(self) -> float | None:
        chosen = self.options.sharpness
        return None if chosen is None else value_at(chosen, self.done, self.steps)

    def players(self) -> dict[Role, Player]:
        """Both."""
        return dict(self._players)


_ROLES: tuple[Role, ...] = ("generator", "discriminator")


def _mean(rounds: list[dict[str, float]]) -> dict[str, float]:
    return {name: sum(each[name] for each in rounds) / len(rounds) for name in rounds[0]}
