"""The discriminator's contract."""

from abc import abstractmethod
from dataclasses import dataclass

from torch import Tensor, nn

from ganzoo.models.network import Network


@dataclass(frozen=True)
class Judgement:
    """What a discriminator says of a batch.

    Attributes:
        scores: Logits ``[N]``, positive for "real".
        class_logits: Logits of an auxiliary classifier ``[N, K]`` (AC-GAN, Odena et al. 2017), or None where it has none.
    """

    scores: Tensor
    class_logits: Tensor | None = None


class Discriminator(Network):
    """Tells real from generated samples.

    ``forward`` maps a batch ``[N, ...]`` in the generator's output range to one real number a sample, ``[N]``: an unbounded
    logit, positive for "real". No sigmoid: the loss owns it.

    Attributes:
        num_classes: How many classes the condition ``c`` (int64 ``[N]``) may have; 0 where the network is unconditional.
    """

    num_classes: int = 0

    @abstractmethod
    def forward(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """Scores ``[N]`` of a batch ``x``, given the condition ``c`` where the model has one."""

    def judge(self, x: Tensor, c: Tensor | None = None) -> Judgement:
        """Everything that training needs; networks with an auxiliary classifier override it."""
        return Judgement(self(x, c) if self.num_classes else self(x))

    def layers_from_input(self) -> list[nn.Module]:
        """The layers with parameters of their own, those next to the input first: what freezing counts (Mo et al. 2020).

        In the order of registration unless a family overrides it.
        """
        return [module for module in self.modules() if next(module.parameters(recurse=False), None) is not None]
