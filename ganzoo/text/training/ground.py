"""What the phases of a text run share: networks, sentences, random numbers, and how sentences are made and judged."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from ganzoo.data import Feed, ShuffledBatches, TensorExamples
from ganzoo.errors import ConfigError
from ganzoo.models.generator import evaluation_mode
from ganzoo.spec import TextRecipe
from ganzoo.text.discriminators import TextDiscriminator
from ganzoo.text.generators import SequenceGenerator
from ganzoo.text.rollout import complete
from ganzoo.text.sequences import token_mask
from ganzoo.text.training.material import Material
from ganzoo.training import Draws
from ganzoo.training.processes import Processes

HELD_OUT = "held_out_nll"  # the figure of a look at the held-out sentences
_ROWS = 512  # sentences that are generated or judged at once


class Ground:
    """The ground of a run. Every process holds all of it and works on its share of each batch.

    Args:
        generator: Is trained in place.
        discriminator: Is trained in place; None where the recipe has no use for one.
        material: The sentences.
        recipe: What to do.
        seed: Of the order of the sentences and of everything that is drawn.
        processes: Who trains together, and where.
    """

    def __init__(
        self,
        generator: SequenceGenerator,
        discriminator: TextDiscriminator | None,
        material: Material,
        recipe: TextRecipe,
        *,
        seed: int,
        processes: Processes,
    ) -> None:
        self.recipe, self.processes, self.device = recipe, processes, processes.device
        if recipe.batch_size % processes.count:
            raise ConfigError(
                f"A batch of {recipe.batch_size} cannot be split among {processes.count} processes.",
                hint="Set batch_size to a multiple of them.",
            )
        self.generator = generator.to(self.device).train()
        self._discriminator = None if discriminator is None else discriminator.to(self.device).train()
        self.material = material
        self.rng = torch.Generator().manual_seed(seed)
        self._feed = Feed(
            TensorExamples(material.train),
            ShuffledBatches(len(material.train), recipe.batch_size, seed),
            device=self.device,
            shares=processes.count,
            share=processes.rank,
        )

    @property
    def rows(self) -> int:
        """Sentences of a batch that are this process's."""
        return self.recipe.batch_size // self.processes.count

    @property
    def discriminator(self) -> TextDiscriminator:
        """The discriminator; `TextMethod` has seen to it that there is one where a phase needs it."""
        assert self._discriminator is not None
        return self._discriminator

    def draws(self) -> Draws:
        """Random numbers for this process's rows."""
        return Draws(self.rng, shares=self.processes.count, share=self.processes.rank)

    def real(self) -> Tensor:
        """This process's rows of the next batch of training sentences, int64 ``[rows, T]``."""
        return self._feed.next_batch().examples

    def mask(self, tokens: Tensor) -> Tensor:
        """Bool ``[N, T]``: the tokens that count, up to and including the end."""
        return token_mask(tokens, self.generator.end_token)

    def per_token(self, mask: Tensor) -> Tensor:
        """Weights ``[N, T]`` that make a sum over this process's tokens, averaged over the processes, the mean over all tokens
        of the batch: sentences differ in length, and so do the processes' shares of the tokens.
        """
        count = self.processes.total(mask.sum().float()) / self.processes.count
        return mask / count

    @torch.no_grad()
    def generate(self, count: int) -> Tensor:
        """Fresh sentences of the generator as it is now, int64 ``[count, T]``, in single precision and at temperature 1.

        Drawn batch by batch, so that several processes together make the sentences of one, in its order.
        """
        network, draws = self.generator, self.draws()
        batches = [min(self.rows, count - start) for start in range(0, count, self.rows)]
        drawn = torch.cat([draws.latents(network.draw_latent, rows, device=self.device) for rows in batches])
        return torch.cat([self._written(part) for part in torch.split(drawn, _ROWS)])

    def _written(self, latents: Tensor) -> Tensor:
        z, uniforms = torch.split(latents, [self.generator.latent_size, self.generator.max_length], 1)
        blank = torch.zeros(uniforms.shape, dtype=torch.int64, device=self.device)
        return complete(self.generator, blank, 0, uniforms, z=z if self.generator.latent_size else None)

    @torch.no_grad()
    def judge(self, tokens: Tensor) -> Tensor:
        """Logits ``[N]`` of the discriminator in evaluation mode."""
        with evaluation_mode(self.discriminator):
            return torch.cat([self.discriminator(part) for part in torch.split(tokens, _ROWS)])

    @torch.no_grad()
    def held_out_nll(self, most: int | None = None) -> float:
        """Mean negative log-likelihood a token, in nats, of the held-out sentences (of the first ``most``)."""
        parts = [part.to(self.device) for part in torch.split(self.material.valid[:most], _ROWS)]
        with evaluation_mode(self.generator):
            total = sum(float(self.generator.log_prob(part).double().sum()) for part in parts)
        return -total / sum(int(self.mask(part).sum()) for part in parts)

    def state(self) -> dict[str, Any]:
        """Where the order of the sentences and the random numbers stand."""
        return {"sampler": dict(self._feed.state_dict()), "rng": self.rng.get_state()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Takes up what `state` gave."""
        self._feed.load_state_dict(state["sampler"])
        self.rng.set_state(state["rng"])

    def close(self) -> None:
        """Ends what reads in the background."""
        self._feed.close()
