"""Consistency regularisation of the discriminator."""

from torch import Tensor

from ganzoo.errors import ConfigError
from ganzoo.spec import Recipe
from ganzoo.training.augment import build_pipeline
from ganzoo.training.regularizers.base import DiscriminatorRegularizer
from ganzoo.training.regularizers.options import check_choice, check_number
from ganzoo.training.turns import DiscriminatorTurn


class Consistency(DiscriminatorRegularizer):
    """``r E[(D(x) - D(T(x)))^2] + f E[(D(G(z)) - D(T(G(z))))^2]``: bCR of Zhao et al. 2021, algorithm 1.

    ``T`` changes what should not matter. The weight multiplies both terms and is 1 in the paper.

    Args:
        real: Their lambda_real, ``r``.
        fake: Their lambda_fake, ``f``.
        transform: ``own`` is a random flip and a shift by up to 1/8 of the side, on top of the recipe's augmentation if any;
            ``recipe`` compares examples with and without the recipe's augmentation.
    """

    default_weight = 1.0

    def __init__(self, *, real: float = 10.0, fake: float = 10.0, transform: str = "own") -> None:
        self.real, self.fake = check_number("real", real, at_least=0), check_number("fake", fake, at_least=0)
        if not self.real and not self.fake:
            raise ConfigError(
                "The options 'real' and 'fake' are both 0, which leaves nothing of the regulariser 'consistency'."
            )
        self.transform = check_choice("transform", transform, ("own", "recipe"))
        self._own = build_pipeline({"flip": 1.0, "translation": 1.0})

    def check(self, recipe: Recipe) -> None:
        """With ``transform=recipe`` it needs an augmentation to be consistent under.

        Raises:
            ConfigError: there is none.
        """
        if self.transform == "recipe" and not recipe.augment.pipeline:
            raise ConfigError(
                "The regulariser 'consistency' with transform=recipe needs an augmentation in the recipe.",
                hint="For example: --set augment.pipeline=flip,translation. "
                "Or: --set regularizers.consistency.options.transform=own",
            )

    def penalty(self, turn: DiscriminatorTurn) -> Tensor:
        """Both sides learn: nothing is taken as given."""
        total = turn.real.new_zeros(())
        if self.real:
            other = self._twin(turn, turn.real, turn.plain_real)
            scores = turn.judge(other, turn.c_real).scores
            total = total + self.real * (turn.real_scores - scores).square().mean()
        if self.fake:
            other = self._twin(turn, turn.fake, turn.plain_fake)
            scores = turn.judge(other, turn.c_fake).scores
            total = total + self.fake * (turn.fake_scores - scores).square().mean()
        return total

    def _twin(self, turn: DiscriminatorTurn, seen: Tensor, plain: Tensor) -> Tensor:
        if self.transform == "recipe":
            return plain
        if seen.dim() != 4:
            raise ConfigError(
                "The regulariser 'consistency' flips and shifts images, and these examples are none.",
                hint="Give the recipe an augmentation and set regularizers.consistency.options.transform=recipe.",
            )
        return self._own(seen.detach(), turn.draws, 1.0)
