"""What a plugin writes to have a foreign checkpoint format recognised. Importing this needs no torch."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ganzoo.checkpoint.stated import Stated

if TYPE_CHECKING:
    from torch import Tensor

Shapes = Mapping[str, tuple[int, ...]]


class LayoutReader(ABC):
    """Recognises one foreign layout of one network and maps its keys to ours, both ways.

    A subclass gives `config` and `keys`, and overrides `convert` and `export` together where names alone are not enough (a
    transposed weight, say). It holds no state: one is made for each use.

    Attributes:
        classes: Where such files are pickles of whole networks: the exact names, ``module.Class``, of all classes of modules in
            them, those of PyTorch included. They are looked up as text and never imported.
        beside: Names of single tensors that such files keep next to the network's own mapping. Where they are there, they are
            treated as tensors of the network: `config` sees their shapes, and `keys` and `optional` must name them.
    """

    classes: ClassVar[frozenset[str]] = frozenset()
    beside: ClassVar[frozenset[str]] = frozenset()

    def pick(self, state: Mapping[str, "Tensor"]) -> Mapping[str, "Tensor"]:
        """What of a file's tensors is the network's: by default all of them.

        It is asked first, about every file, and everything else sees only what it returns. Override it for programs that store
        layers which they have not trained yet, say. Weights are mapped from the disk: look at few of them.
        """
        return state

    @abstractmethod
    def config(self, shapes: Shapes) -> dict[str, Any] | None:
        """The network's constructor arguments, told from the names and shapes of a file's tensors.

        Be strict about what is read and lenient about the rest: every key and shape is compared with the network afterwards,
        and what does not fit is reported to the user key by key. None means that this cannot be the layout at all.

        Args:
            shapes: Shape of every tensor, wrapping prefixes taken off.
        """

    def refine(self, config: dict[str, Any], stated: Stated) -> dict[str, Any] | None:
        """``config`` with what the file itself says of the network's construction: what shapes cannot tell, by default nothing.

        It is asked only about files that say anything (pickles of whole networks do, state dicts do not) and after `config`
        found arguments. What it returns is treated as told from the shapes: an argument that the user gives wins over it, and
        every key and shape is compared with the network afterwards.

        Args:
            config: From `config`.
            stated: The file's words, which nobody has checked: leave alone what has the wrong type.

        Returns:
            The complete arguments, or None where this cannot be the layout after all.

        Raises:
            ConfigError: it says something that this architecture does not do; the user gets to read it.
        """
        return config

    @abstractmethod
    def keys(self, config: Mapping[str, Any]) -> Mapping[str, str]:
        """Every foreign key of a network with these arguments, and our name for it."""

    def optional(self, config: Mapping[str, Any]) -> Mapping[str, float]:
        """Foreign keys that some files lack, and the number that stands for them: by default the batch counters of batch
        normalisation, which PyTorch did not store before version 0.4.1.
        """
        return {key: 0 for key in self.keys(config) if key.rpartition(".")[2] == "num_batches_tracked"}

    def convert(self, state: Mapping[str, "Tensor"], config: Mapping[str, Any]) -> dict[str, "Tensor"]:
        """Our state dict from theirs: keys are renamed. ``state`` has every key of `keys`, optional ones filled in."""
        return {ours: state[theirs] for theirs, ours in self.keys(config).items()}

    def export(self, state: Mapping[str, "Tensor"], config: Mapping[str, Any]) -> dict[str, "Tensor"]:
        """Their state dict from ours: the inverse of `convert`."""
        return {theirs: state[ours] for theirs, ours in self.keys(config).items()}
