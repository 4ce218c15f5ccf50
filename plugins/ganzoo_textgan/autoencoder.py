"""How the generator of TextGAN begins: as the decoder of an autoencoder whose encoder is the discriminator."""

import math
from typing import Annotated

from msgspec import Meta

from ganzoo.spec import Declaration, Optimizer, Role, TextRecipe
from ganzoo.text.mmd import mmd2
from ganzoo.text.training import Ground, TextPhase, weighted_nll
from ganzoo.training.player import Player
from ganzoo_textgan.pair import draw_z, encoder_of

_SCALES = (0.5, 1.0, 2.0)  # bandwidths on codes, in units of how far two draws of z are apart


class AutoencoderOptions(Declaration, frozen=True, kw_only=True):
    """Options of `Autoencoder`.

    Attributes:
        generator: The optimiser; the recipe's unless given.
        discriminator: The optimiser; the recipe's unless given.
        prior_weight: Weight of the discrepancy between codes and the distribution of ``z``, which the encoder descends besides
            (Tolstikhin et al. 2018, algorithm 2). The paper has none.
    """

    generator: Optimizer | None = None
    discriminator: Optimizer | None = None
    prior_weight: Annotated[float, Meta(ge=0)] = 0.0


class Autoencoder(TextPhase[AutoencoderOptions]):
    """Sentences through a ``z`` and back: the discriminator's reconstruction of ``z`` is the code, the generator writes it out.

    Descended is the mean negative log-likelihood of a token given the code of its sentence (Zhang et al. 2017, sec. 2.4).
    """

    Options = AutoencoderOptions

    def __init__(self, ground: Ground, steps: int, options: AutoencoderOptions) -> None:
        super().__init__(ground, steps, options)
        self._encoder = encoder_of(ground, "autoencoder")
        self._decoding = self.player("generator", ground.generator)
        self._encoding = self.player("discriminator", ground.discriminator)
        apart = math.sqrt(ground.generator.latent_size * 2 / 3)  # of two draws of z, uniform in (-1, 1)
        self._sigmas = [scale * apart for scale in _SCALES]

    @classmethod
    def sentences_per_step(cls, options: AutoencoderOptions, recipe: TextRecipe) -> int:
        """One batch."""
        return recipe.batch_size

    @classmethod
    def needs_discriminator(cls, options: AutoencoderOptions) -> bool:
        """Yes: it encodes."""
        return True

    def step(self) -> dict[str, float]:
        """One update of both halves, by one gradient."""
        for player in self.players().values():
            player.follow(self.done)
        tokens = self.ground.real()
        codes = self._encoder.reconstruct(self._encoder.features(tokens))
        # Each half has an optimiser of its own; what passes between them is the gradient at the code.
        passed = codes.detach().requires_grad_(True)
        weights = self.ground.per_token(self.ground.mask(tokens))
        figures = {"nll": self._decoding.descend([weighted_nll(self.ground.generator, tokens, weights, passed)])}
        assert passed.grad is not None
        discrepancy = mmd2(codes, draw_z(self.ground), self._sigmas)
        self._encoding.descend([(codes * passed.grad).sum() + self.options.prior_weight * discrepancy])
        figures["code_mmd"] = float(self.ground.processes.mean(discrepancy.detach()))
        self.done += 1
        return figures

    def players(self) -> dict[Role, Player]:
        """Both."""
        return {"generator": self._decoding, "discriminator": self._encoding}
