"""Oracles in files: a user's own ``target_params.pkl`` of SeqGAN, read without executing it, or safetensors."""

from pathlib import Path

import torch

from ganzoo.checkpoint.numpy_arrays import read_arrays
from ganzoo.checkpoint.safetensors_file import read_safetensors
from ganzoo.checkpoint.sniff import sniff
from ganzoo.errors import CheckpointError
from ganzoo.text.oracle.weights import OracleWeights, array_shapes, weights_from_arrays

_NAMES = tuple(array_shapes(1, 1, 1))
_PREFIX = "state/"


def read_weights(path: str | Path) -> OracleWeights:
    """The weights in ``path``: a pickle of a list of 15 NumPy arrays, or safetensors with the names of `array_shapes`.

    The format is told from the content. The prefix ``state/`` of names is left out.

    Raises:
        HostileFileError: a pickle that asks for code; nothing of it is executed.
        CorruptFileError: a truncated or damaged file.
        CheckpointError: no such file, or one that holds something else.
    """
    path = Path(path).expanduser()
    container = sniff(path)
    if container == "safetensors":
        tensors, _ = read_safetensors(path)
        return weights_from_arrays({name.removeprefix(_PREFIX): tensor for name, tensor in tensors.items()}, str(path))
    if container == "torch-zip":
        raise CheckpointError(
            f"{path} is a file of torch.save, not an oracle.",
            hint="An oracle is SeqGAN's target_params.pkl (a list of 15 arrays), or safetensors with the same arrays by name.",
        )
    arrays = read_arrays(path)
    if len(arrays) != len(_NAMES):
        raise CheckpointError(f"{path} holds {len(arrays)} arrays; an oracle of SeqGAN has {len(_NAMES)}.")
    return weights_from_arrays(dict(zip(_NAMES, map(torch.from_numpy, arrays), strict=True)), str(path))
