"""From a name, a Hub repository or a path to a network: name -> card -> files -> weights -> network."""

import logging
import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast, overload

import torch
from torch import Tensor

from ganzoo.building import build, import_class
from ganzoo.catalog import catalog
from ganzoo.catalog.names import CatalogueName, HubName, PathName, parse_name
from ganzoo.checkpoint import Match, StoredModel, read_checkpoint, read_model, read_safetensors, recognise
from ganzoo.checkpoint.conversion import conversion_key, store
from ganzoo.checkpoint.folder import CONFIG, ModelConfig, read_config, weights_file
from ganzoo.checkpoint.recognition import best_matches
from ganzoo.errors import CacheWarning, CheckpointError, InvalidValueError, OutputError
from ganzoo.hub import Fetched, fetch, fetch_file
from ganzoo.models import Discriminator, Generator, Network
from ganzoo.models.devices import resolve_device, resolve_dtype
from ganzoo.paths import cache_home
from ganzoo.plugin_host import host
from ganzoo.spec import ROLES, Architecture, HubSource, ModelCard, Role, WeightFile

_log = logging.getLogger("ganzoo")
_licences_told: set[str] = set()

Source = str | os.PathLike[str]


@dataclass(frozen=True)
class _Found:
    """Everything that a network is built from."""

    architecture: Architecture
    role: Role
    config: Mapping[str, Any]
    state: Mapping[str, Tensor]


@dataclass(frozen=True)
class _Hints:
    """What the caller knows of a checkpoint file: which architecture, and arguments that its keys cannot tell."""

    architecture: str | None = None
    config: Mapping[str, Any] | None = None


@overload
def load(
    source: Source,
    *,
    role: Literal["generator"] | None = None,
    device: str | torch.device | None = None,
    dtype: str | torch.dtype | None = None,
    architecture: str | None = None,
    config: Mapping[str, Any] | None = None,
) -> Generator[Any]: ...
@overload
def load(
    source: Source,
    *,
    role: Literal["discriminator"],
    device: str | torch.device | None = None,
    dtype: str | torch.dtype | None = None,
    architecture: str | None = None,
    config: Mapping[str, Any] | None = None,
) -> Discriminator: ...
@overload
def load(
    source: Source,
    *,
    role: Role,
    device: str | torch.device | None = None,
    dtype: str | torch.dtype | None = None,
    architecture: str | None = None,
    config: Mapping[str, Any] | None = None,
) -> Network: ...
def load(
    source: Source,
    *,
    role: Role | None = None,
    device: str | torch.device | None = None,
    dtype: str | torch.dtype | None = None,
    architecture: str | None = None,
    config: Mapping[str, Any] | None = None,
) -> Network:
    """A pretrained network in evaluation mode, its weights verified. Nothing that is downloaded or read is ever executed.

    Args:
        source: A name of the catalogue (``dcgan-mnist``, ``<plugin>/<name>``, ``name@revision``), any Hub repository in
            ganzoo's layout (``hf:org/repo[@revision]``), a folder in ganzoo's layout, or a checkpoint file whose layout a
            plugin recognises. What starts with ``.`` or ``/`` or exists on disk is a path.
        role: ``generator``, ``discriminator`` or ``encoder``. None is the generator, or, from a file that holds no generator,
            the network that it does hold.
        device: ``cpu`` (also None), ``cuda``, ``cuda:1``, ``mps``, … or ``auto`` for the accelerator if there is one.
        dtype: ``float32``, ``float16``, ``bfloat16``, ``float64`` or a torch dtype; None is the network's own.
        architecture: For a checkpoint file that fits several: which one to take.
        config: For a checkpoint file: constructor arguments that its keys and shapes cannot tell, e.g. an activation.

    Raises:
        UnknownNameError: no such model; carries the closest names.
        HubError: the weights could not be had; the message says what to do.
        IntegrityError: the bytes are not the ones that the card pins.
        CheckpointError: a file that is damaged, hostile or not recognised.
        PluginMissingError: the model needs a plugin that is not installed; the hint is the pip command.
        InvalidValueError: a name, device or dtype that cannot be used.
    """
    if role is not None and role not in ROLES:
        raise InvalidValueError(f"There is no role '{role}'.", hint=f"Use {', '.join(ROLES)}.")
    target, precision = resolve_device(device), resolve_dtype(dtype)
    found = _find(source, role, _Hints(architecture, config))
    return build(
        import_class(found.architecture.networks[found.role]),
        found.config,
        found.state,
        device=target,
        dtype=precision,
        random_buffers=found.architecture.random_buffers,
    )


def download(source: str, *, role: Role | None = None, force: bool = False) -> dict[str, Fetched]:
    """Downloads and verifies the files of a model without loading it.

    Args:
        source: A name of the catalogue, or ``hf:org/repo[@revision]``.
        role: Only that network's file.
        force: Download again even what is in the cache.

    Returns:
        File name to where it is.

    Raises:
        InvalidValueError: ``source`` is a path.
        UnknownNameError, HubError, IntegrityError, CheckpointError: as for `load`.
    """
    match parse_name(source):
        case CatalogueName() as name:
            card = catalog().find(name.qualified)
            files = [f for f in card.files if role in (None, f.role)]
            if not files:
                raise _no_role(f"The model '{card.name}'", cast(Role, role), [f.role for f in card.files])
            return {f.path: _fetch(card, f, name.revision, force=force) for f in files}
        case HubName() as name:
            config = fetch_file(name.repository, CONFIG, revision=name.revision, force=force)
            described = read_config(config.path)
            roles = [r for r in ROLES if role in (None, r) and described.arguments(r) is not None]
            rest = {weights_file(r): fetch_file(name.repository, weights_file(r), revision=config.revision) for r in roles}
            return {CONFIG: config, **rest}
        case PathName(path):
            raise InvalidValueError(f"{path} is on this machine already; there is nothing to download.")


def convert_file(
    file: str | Path,
    output: str | Path,
    *,
    architecture: str | None = None,
    config: Mapping[str, Any] | None = None,
    overwrite: bool = False,
) -> list[Match]:
    """Writes the networks in a checkpoint file as a model of ganzoo: ``config.json`` and safetensors in the folder ``output``.

    Args:
        file: Safetensors or a ``torch.save`` file, zip or legacy, in a layout that an installed plugin recognises.
        output: The folder; its parent must exist.
        architecture: Which one to take where several fit.
        config: Constructor arguments that keys and shapes cannot tell.
        overwrite: Replace a model that is in the folder.

    Returns:
        The networks that were written.

    Raises:
        CheckpointError: the file is damaged, hostile or not recognised.
        OutputError: ``output`` cannot be written.
    """
    matches = _recognise(Path(file), _Hints(architecture, config))
    store(file, output, matches, distribution=_distribution(matches[0].plugin), overwrite=overwrite)
    return matches


# --- finding ----------------------------------------------------------------------------------------------------------


def _find(source: Source, role: Role | None, hints: _Hints) -> _Found:
    match parse_name(source):
        case CatalogueName() as name:
            return _from_card(catalog().find(name.qualified), role or "generator", name.revision)
        case HubName() as name:
            return _from_hub(name, role or "generator")
        case PathName(path) if path.is_dir():
            return _from_folder(read_model(path), role)
        case PathName(path):
            return _from_matches(path, _recognise(path, hints), role)


def _from_card(card: ModelCard, role: Role, revision: str | None) -> _Found:
    file = card.file(role)
    if file is None:
        raise _no_role(f"The model '{card.name}'", role, [f.role for f in card.files])
    # Before the download: a missing plugin should not cost a gigabyte first.
    architecture = host().architecture(card.architecture, plugin=card.plugin, distribution=card.distribution)
    _tell_licence(card)
    fetched = _fetch(card, file, revision)
    config = card.config.get(role)
    if file.format == "safetensors" and config is not None:
        return _Found(architecture, role, config, read_safetensors(fetched.path)[0])
    return _converted(fetched, card, role)


def _converted(fetched: Fetched, card: ModelCard, role: Role) -> _Found:
    """A foreign checkpoint of the catalogue: converted once, kept as safetensors."""
    wanted = f"{card.plugin}/{card.architecture}"
    folder = cache_home() / "converted" / conversion_key(fetched.sha256, wanted, card.config.get(role))
    if (folder / CONFIG).is_file():
        return _from_folder(read_model(folder), role)
    matches = _recognise(fetched.path, _Hints(wanted, card.config.get(role)))
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        return _from_folder(store(fetched.path, folder, matches, distribution=card.distribution, overwrite=True), role)
    except OSError as e:  # OutputError is one
        reason = e.message if isinstance(e, OutputError) else str(e)
        warnings.warn(f"The converted weights could not be kept: {reason}", CacheWarning, stacklevel=5)
        return _from_matches(fetched.path, matches, role)


def _from_hub(name: HubName, role: Role) -> _Found:
    config = fetch_file(name.repository, CONFIG, revision=name.revision)
    described = read_config(config.path)
    arguments = described.arguments(role)
    if arguments is None:
        raise _no_role(f"hf:{name.repository}", role, _roles(described))
    architecture = _installed(described)
    # The very commit that the configuration came from: a push in between must not mix two models.
    weights = fetch_file(name.repository, weights_file(role), revision=config.revision)
    return _Found(architecture, role, arguments, read_safetensors(weights.path)[0])


def _from_folder(model: StoredModel, role: Role | None) -> _Found:
    chosen = _default_role(list(model.files)) if role is None else role
    arguments = model.config.arguments(chosen)
    if arguments is None:
        raise _no_role(f"The model in {model.folder}", chosen, _roles(model.config))
    return _Found(_installed(model.config), chosen, arguments, model.state(chosen))


def _from_matches(path: Path, matches: list[Match], role: Role | None) -> _Found:
    by_role = {m.role: m for m in matches}
    chosen = _default_role(list(by_role)) if role is None else role
    if chosen not in by_role:
        raise _no_role(str(path), chosen, list(by_role))
    match = by_role[chosen]
    return _Found(match.architecture, chosen, match.config, match.state)


def _recognise(path: Path, hints: _Hints) -> list[Match]:
    """The networks in a file, one for each role."""
    checkpoint = read_checkpoint(path)
    known = [(plugin.name, each) for plugin, each in host().architectures().values()]
    found = recognise(checkpoint, known, architecture=hints.architecture, config=hints.config)
    return list(best_matches(found).values())


def _installed(config: ModelConfig) -> Architecture:
    return host().architecture(config.architecture, plugin=config.plugin, distribution=config.distribution)


def _distribution(plugin: str) -> str:
    return next(p.distribution for p in host().installed if p.name == plugin)


def _fetch(card: ModelCard, file: WeightFile, revision: str | None, *, force: bool = False) -> Fetched:
    if revision is not None and not isinstance(card.source, HubSource):
        raise InvalidValueError(
            f"The model '{card.name}' is not on the Hub, so it has no revision '{revision}'.",
            hint="Leave out the part from @ on.",
        )
    return fetch(card.source, file, mirrors=card.mirrors, revision=revision, force=force)


def _tell_licence(card: ModelCard) -> None:
    if not card.licence.commercial and card.name not in _licences_told:
        _licences_told.add(card.name)
        _log.warning("The weights of %s are licensed for non-commercial use only (%s).", card.name, card.licence.weights)


def _default_role(present: list[Role]) -> Role:
    return "generator" if "generator" in present else present[0]


def _roles(config: ModelConfig) -> list[Role]:
    return [r for r in ROLES if config.arguments(r) is not None]


def _no_role(what: str, role: Role, roles: list[Role]) -> CheckpointError:
    return CheckpointError(f"{what} has no {role}.", hint=f"It has: {', '.join(dict.fromkeys(roles))}.")
