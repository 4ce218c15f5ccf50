"""The discriminator's contract."""

from abc import abstractmethod

from torch import Tensor

from ganzoo.models.network import Network


class Discriminator(Network):
    """Tells real from generated samples.

    ``forward`` maps a batch ``[N, ...]`` in the generator's output range to one real number a sample, ``[N]``: an unbounded
    logit, positive for "real". No sigmoid: the loss owns it.
    """

    @abstractmethod
    def forward(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """Scores ``[N]`` of a batch ``x``, given the condition ``c`` where the model has one."""
