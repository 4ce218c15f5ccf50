"""How the discriminator of TextGAN begins: it learns to tell sentences from the same ones with two words swapped."""

import torch
from torch import Tensor

from ganzoo.spec import Declaration, Name, Optimizer, Role, TextRecipe
from ganzoo.text.training import Ground, TextPhase
from ganzoo.training import AdversarialLoss
from ganzoo.training.parts import find
from ganzoo.training.player import Player


class PermutationOptions(Declaration, frozen=True, kw_only=True):
    """Options of `Permutation`.

    Attributes:
        discriminator: The optimiser; the recipe's unless given.
        loss: Name of the adversarial loss whose discriminator's side is descended.
    """

    discriminator: Optimizer | None = None
    loss: Name = "non-saturating"


class Permutation(TextPhase[PermutationOptions]):
    """Real sentences against swapped ones (Zhang et al. 2017, sec. 2.4); for any discriminator of text."""

    Options = PermutationOptions

    def __init__(self, ground: Ground, steps: int, options: PermutationOptions) -> None:
        super().__init__(ground, steps, options)
        self._loss: AdversarialLoss = find("loss", options.loss)
        self._player = self.player("discriminator", ground.discriminator)

    @classmethod
    def check(cls, name: str, options: PermutationOptions, recipe: TextRecipe) -> None:
        """See `TextPhase.check`."""
        super().check(name, options, recipe)
        find("loss", options.loss)

    @classmethod
    def sentences_per_step(cls, options: PermutationOptions, recipe: TextRecipe) -> int:
        """A batch as it is, and the same swapped."""
        return 2 * recipe.batch_size

    @classmethod
    def needs_discriminator(cls, options: PermutationOptions) -> bool:
        """Yes."""
        return True

    def step(self) -> dict[str, float]:
        """One update."""
        self._player.follow(self.done)
        real = self.ground.real()
        keys = self.ground.draws().uniform(*real.shape, like=self.ground.generator.head.weight)
        swapped = swap_two(real, keys, self.ground.generator.end_token)
        on_real, on_swapped = self.ground.discriminator(torch.cat([real, swapped])).split(len(real))
        value = self._player.descend([self._loss.discriminator(on_real, on_swapped, 0.0)])
        self._player.updates += 1
        self.done += 1
        means = self.ground.processes.mean(torch.stack([on_real.detach().mean(), on_swapped.detach().mean()])).tolist()
        return {"d_loss": value, "d_real": means[0], "d_swapped": means[1]}

    def players(self) -> dict[Role, Player]:
        """The discriminator."""
        return {"discriminator": self._player}


def swap_two(tokens: Tensor, keys: Tensor, end_token: int | None) -> Tensor:
    """``tokens [N, T]`` with two different tokens of each sentence in each other's place.

    Where ends and padding stand does not change. A sentence whose tokens are all the same stays as it is.

    Args:
        tokens: Ids.
        keys: Numbers in [0, 1), ``[N, T]``: the place with the highest one is swapped with the next highest of another token.
        end_token: Closes a sentence; None where all fill their rows.
    """
    words = torch.ones_like(tokens, dtype=torch.bool) if end_token is None else (tokens == end_token).cumsum(1) == 0
    first = keys.masked_fill(~words, -1.0).argmax(1, keepdim=True)
    token = tokens.gather(1, first)
    others = keys.masked_fill(~words | (tokens == token), -1.0)
    second = torch.where(others.amax(1, keepdim=True) < 0, first, others.argmax(1, keepdim=True))
    return tokens.scatter(1, first, tokens.gather(1, second)).scatter(1, second, token)
