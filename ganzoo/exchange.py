"""Between the checkpoint files of other programs and the zoo's own layout, both ways."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ganzoo.building import build, network_class
from ganzoo.checkpoint import Match
from ganzoo.checkpoint.conversion import store
from ganzoo.checkpoint.recognition import converted, layout_reader
from ganzoo.checkpoint.safetensors_file import write_safetensors
from ganzoo.checkpoint.weights import refuse_nan
from ganzoo.errors import CheckpointError, ConfigError, GanzooError, InvalidValueError, OutputError, UnknownNameError
from ganzoo.loading import FoundWeights, Hints, Source, find_weights, recognised
from ganzoo.models import Generator
from ganzoo.paths import atomic_path, check_parent
from ganzoo.plugin_host import host
from ganzoo.spec import Layout, Role

TORCH_SUFFIXES = (".pth", ".pt", ".bin")
SUFFIXES = (".safetensors", *TORCH_SUFFIXES)
TOLERANCE = 1e-3  # of a sample's largest value: rounding of weights that are scaled on their way, through many layers


def convert_file(
    file: str | Path,
    output: str | Path,
    *,
    architecture: str | None = None,
    config: Mapping[str, Any] | None = None,
    overwrite: bool = False,
    allow_nan: bool = False,
) -> list[Match]:
    """Writes the networks in a checkpoint file as a model of ganzoo: ``config.json`` and safetensors in the folder ``output``.

    Args:
        file: Safetensors, a ``torch.save`` file (zip or legacy) or a pickle of whole networks, in a layout that an installed
            plugin recognises.
        output: The folder; its parent must exist.
        architecture: Which one to take where several fit.
        config: Constructor arguments that keys and shapes cannot tell.
        overwrite: Replace a model that is in the folder.
        allow_nan: Write weights that are not all numbers. Without it they are refused.

    Returns:
        The networks that were written.

    Raises:
        CheckpointError: the file is damaged, hostile or not recognised, or has weights that are NaN.
        OutputError: ``output`` cannot be written.
    """
    matches = recognised(Path(file), Hints(architecture, config))
    distribution = next(p.distribution for p in host().installed if p.name == matches[0].plugin)
    store(file, output, matches, distribution=distribution, overwrite=overwrite, allow_nan=allow_nan)
    return matches


def export_file(
    source: Source, output: str | Path, *, layout: str | None = None, role: Role | None = None, overwrite: bool = False
) -> Layout:
    """Writes the weights of one network under the keys of another program, as one flat state dict: `convert_file` backwards.

    Args:
        source: As for `load`.
        output: The file; ``.safetensors``, or ``.pth``, ``.pt`` or ``.bin`` for ``torch.save``. Its folder must exist.
        layout: Id of one of the architecture's layouts; may be left out where it has only one for that network.
        role: Which network; the generator when left out.
        overwrite: Replace a file that is there.

    Returns:
        The layout that was written.

    Raises:
        InvalidValueError: another suffix, or a layout has to be chosen.
        UnknownNameError: the architecture has no such layout for that network.
        ConfigError: the layout has no place for a network with these arguments.
        CheckpointError: the weights are not all numbers.
        OutputError: ``output`` cannot be written, or is there already.
        GanzooError: ``source`` cannot be loaded; as `load`.
    """
    path = Path(output)
    if path.suffix not in SUFFIXES:
        raise InvalidValueError(f"A file of weights ends in {', '.join(SUFFIXES)}, not '{path.suffix}'.")
    if path.exists() and not overwrite:
        raise OutputError(f"{path} is there already.", hint="Choose another file, or say to overwrite it.")
    check_parent(path)
    found = find_weights(source, role, Hints())
    refuse_nan(found.state, found.origin)  # what is NaN cannot be compared with what is read back
    chosen = _choose(found, layout)
    _write(path, _exported(found, chosen))
    return chosen


def _choose(found: FoundWeights, wanted: str | None) -> Layout:
    """The layout of that id, or the only one."""
    present = [each for each in found.architecture.layouts if each.role == found.role]
    what, listed = f"'{found.architecture.id}' ({found.role})", ", ".join(each.id for each in present)
    if not present:
        raise InvalidValueError(f"{what} has no layout of another program; its weights are kept under ganzoo's own keys only.")
    if wanted is None and len(present) > 1:
        raise InvalidValueError(f"{what} has several layouts.", hint=f"Choose one: {listed}.")
    named = [each for each in present if wanted in (None, each.id)]
    if not named:
        raise UnknownNameError("layout", str(wanted), hint=f"{what} has: {listed}.")
    return named[0]


def _exported(found: FoundWeights, layout: Layout) -> dict[str, Tensor]:
    """The state dict under foreign keys; it has been read back, and a generator makes the same sample as before."""
    cls = network_class(found.architecture, found.role)
    own = build(cls, found.config, found.state)
    reader = layout_reader(found.architecture, layout)
    try:
        state = reader.export(found.state, own.config)
        told = reader.config({key: tuple(tensor.shape) for key, tensor in state.items()})
        if told is None:
            raise ConfigError("it would not know its own file again")
        config = {**own.config, **told}  # what no shape tells is as it was
        again = build(cls, config, converted(reader, state, config))
    except (KeyError, ValueError, TypeError, IndexError, RuntimeError, ConfigError, CheckpointError) as e:
        raise _no_place(found, layout, e.message if isinstance(e, GanzooError) else repr(e)) from e
    if isinstance(own, Generator) and isinstance(again, Generator) and not _alike(own, again):
        raise _no_place(found, layout, "it would make other samples")
    return state


def _alike(one: Generator[Any], other: Generator[Any]) -> bool:
    """Whether both make the same of a seed. Stored noise, which some programs do not keep, is left out."""
    options: dict[str, Any] = {"c": 0} if one.num_classes else {}
    if "noise_mode" in one.sampling_options():
        options["noise_mode"] = "none"
    a, b = (each.sample(1, seed=0, **options).tensor.double() for each in (one, other))
    return a.shape == b.shape and float((a - b).abs().max()) <= TOLERANCE * float(a.abs().max())


def _no_place(found: FoundWeights, layout: Layout, why: str) -> ConfigError:
    return ConfigError(
        f"{found.origin} cannot be written in the layout '{layout.id}', which has no place for such a network: {why}.",
        hint="ganzoo show lists the layouts of an architecture.",
    )


def _write(path: Path, state: Mapping[str, Tensor]) -> None:
    if path.suffix not in TORCH_SUFFIXES:
        write_safetensors(path, state)
        return
    try:
        with atomic_path(path) as temporary:
            torch.save({key: tensor.contiguous() for key, tensor in state.items()}, temporary)
    except (OSError, RuntimeError) as e:  # PyTorch's writer reports a full disk as the latter
        if isinstance(e, CheckpointError | OutputError):
            raise
        raise OutputError(f"{path} could not be written: {e}.", hint="Check that the folder exists and has room.") from e
