"""The weights of an LSTM oracle: which arrays they are, and where they come from."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from ganzoo.errors import CheckpointError
from ganzoo.text.oracle.numbers import normals

_GATES = ("i", "f", "og", "c")  # input, forget, output, candidate: the order of SeqGAN's file
_WEIGHTS = 0  # the stream of random numbers


@dataclass(frozen=True)
class OracleWeights:
    """Weights in float64, the gates side by side in the order input, forget, output, candidate.

    Attributes:
        embedding: ``[V, E]``.
        inputs: ``[E, 4H]``, applied as ``x @ W``.
        recurrent: ``[H, 4H]``.
        bias: ``[4H]``.
        output: ``[H, V]``.
        output_bias: ``[V]``.
    """

    embedding: Tensor
    inputs: Tensor
    recurrent: Tensor
    bias: Tensor
    output: Tensor
    output_bias: Tensor

    def __post_init__(self) -> None:
        for field in fields(self):
            object.__setattr__(self, field.name, getattr(self, field.name).detach().double().contiguous())

    @property
    def vocab_size(self) -> int:
        """How many words."""
        return len(self.embedding)

    @property
    def hidden_size(self) -> int:
        """Entries of the state."""
        return len(self.recurrent)

    def tensors(self) -> list[Tensor]:
        """All of them, in a fixed order."""
        return [getattr(self, field.name) for field in fields(self)]


def array_shapes(vocab_size: int, embedding_size: int, hidden_size: int) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the 15 arrays of SeqGAN's ``target_params.pkl``, in its order."""
    shapes: dict[str, tuple[int, ...]] = {"embedding": (vocab_size, embedding_size)}
    for gate in _GATES:
        shapes |= {
            f"W{gate}": (embedding_size, hidden_size),
            f"U{gate}": (hidden_size, hidden_size),
            f"b{gate}": (hidden_size,),
        }
    return {**shapes, "Wo": (hidden_size, vocab_size), "bo": (vocab_size,)}


def weights_from_arrays(arrays: Mapping[str, Tensor], source: str) -> OracleWeights:
    """The weights from the 15 arrays named as in `array_shapes`.

    Args:
        arrays: By name; floating point.
        source: The file, for messages.

    Raises:
        CheckpointError: an array is missing, of a shape that does not fit, or not finite.
    """
    check_arrays(arrays, source)

    def gates(kind: str) -> Tensor:
        return torch.cat([arrays[f"{kind}{gate}"].double() for gate in _GATES], dim=-1)

    return OracleWeights(arrays["embedding"], gates("W"), gates("U"), gates("b"), arrays["Wo"], arrays["bo"])


def seeded_weights(seed: int, vocab_size: int, hidden_size: int, embedding_size: int) -> OracleWeights:
    """Every weight standard normal, as SeqGAN's oracle has them (Yu et al. 2017, sec. 4.1); the same on every machine."""
    shapes = array_shapes(vocab_size, embedding_size, hidden_size)
    counts = [torch.Size(shape).numel() for shape in shapes.values()]
    drawn = torch.split(normals(seed, _WEIGHTS, sum(counts)), counts)
    arrays = {name: part.reshape(shape) for (name, shape), part in zip(shapes.items(), drawn, strict=True)}
    return weights_from_arrays(arrays, f"the oracle of seed {seed}")


def check_arrays(arrays: Mapping[str, Tensor], source: str) -> None:
    """Makes sure that the arrays are an oracle's.

    Raises:
        CheckpointError: an array is missing, of a shape that does not fit the others, no floating point, or not finite.
    """
    names = list(array_shapes(1, 1, 1))
    missing = [name for name in names if name not in arrays]
    if missing:
        raise CheckpointError(
            f"{source} is no LSTM oracle: it lacks the arrays {', '.join(missing)}.", hint=f"An oracle has: {', '.join(names)}."
        )
    first, last = arrays["embedding"], arrays["Ui"]
    if first.dim() != 2 or last.dim() != 2 or not first.numel() or not last.numel():
        raise CheckpointError(f"{source} is no LSTM oracle: its embedding or its recurrent weights are no matrix.")
    for name, shape in array_shapes(first.shape[0], first.shape[1], last.shape[0]).items():
        array = arrays[name]
        if tuple(array.shape) != shape or not array.is_floating_point():
            found = f"{list(array.shape)} ({str(array.dtype).removeprefix('torch.')})"
            raise CheckpointError(f"{source} is no LSTM oracle: '{name}' is {found}; {list(shape)} of floating point fits.")
        if not bool(array.isfinite().all()):
            raise CheckpointError(f"{source} cannot be an oracle: '{name}' holds numbers that are not finite.")
