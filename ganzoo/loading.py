"""From a name, a Hub repository or a path to a network: name -> card -> files -> weights -> network."""

import logging
import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, cast, overload

import torch
from torch import Tensor

from ganzoo.building import build, network_class
from ganzoo.catalog import Catalog, catalog
from ganzoo.catalog.names import CatalogueName, HubName, PathName, parse_name
from ganzoo.checkpoint import (
    Match,
    StoredModel,
    module_classes,
    read_checkpoint,
    read_model,
    read_safetensors,
    recognise,
)
from ganzoo.checkpoint.conversion import conversion_key, store
from ganzoo.checkpoint.folder import CONFIG, ModelConfig, read_config, weights_file
from ganzoo.checkpoint.recognition import best_matches
from ganzoo.checkpoint.weights import refuse_nan
from ganzoo.errors import (
    CacheWarning,
    CheckpointError,
    ConfigError,
    InvalidValueError,
    OutputError,
    PluginMissingError,
    RemoteFileNotFoundError,
    UnknownNameError,
)
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
class FoundWeights:
    """Everything that a network is built from; ``origin`` says in an error where it came from."""

    origin: str
    architecture: Architecture
    role: Role
    config: Mapping[str, Any]
    state: Mapping[str, Tensor]
    class_names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Hints:
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
    allow_nan: bool = False,
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
    allow_nan: bool = False,
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
    allow_nan: bool = False,
) -> Network: ...
def load(
    source: Source,
    *,
    role: Role | None = None,
    device: str | torch.device | None = None,
    dtype: str | torch.dtype | None = None,
    architecture: str | None = None,
    config: Mapping[str, Any] | None = None,
    allow_nan: bool = False,
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
        allow_nan: Load weights that are not all numbers. Without it they are refused.

    Raises:
        UnknownNameError: no such model; carries the closest names.
        HubError: the weights could not be had; the message says what to do.
        IntegrityError: the bytes are not the ones that the card pins.
        CheckpointError: a file that is damaged, hostile or not recognised, or weights that are NaN.
        ConfigError: constructor arguments that the network does not take.
        PluginMissingError: the model needs a plugin that is not installed; the hint is the pip command.
        MissingExtraError: the network needs an extra that is not installed; likewise.
        InvalidValueError: a name, device or dtype that cannot be used.
    """
    if role is not None and role not in ROLES:
        raise InvalidValueError(f"There is no role '{role}'.", hint=f"Use {', '.join(ROLES)}.")
    target, precision = resolve_device(device), resolve_dtype(dtype)
    found = find_weights(source, role, Hints(architecture, config))
    if not allow_nan:
        refuse_nan(found.state, found.origin)
    cls = network_class(found.architecture, found.role)
    random_buffers = found.architecture.random_buffers
    try:
        network = build(cls, found.config, found.state, device=target, dtype=precision, random_buffers=random_buffers)
        if isinstance(network, Generator):
            network.name_classes(found.class_names)
        return network
    except ConfigError as e:
        raise ConfigError(f"{found.origin} cannot be built. {e.message}", hint=e.hint) from e
    except CheckpointError as e:
        raise CheckpointError(f"{found.origin} cannot be loaded. {e.message}", hint=e.hint) from e


def roles_of(source: Source) -> list[Role]:
    """The networks that a model has; its weights are not downloaded.

    Raises:
        GanzooError: no such model, or one that cannot be read; as `load`.
    """
    match parse_name(source):
        case CatalogueName() as name:
            return list(dict.fromkeys(f.role for f in _card(name, os.fspath(source)).files))
        case HubName() as name:
            return _roles(_hub_config(name)[1])
        case PathName(path) if path.is_dir():
            return list(read_model(path).files)
        case PathName(path):
            return [match.role for match in recognised(path, Hints())]


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
            card = _card(name, source)
            present = [f.role for f in card.files]
            roles = present if role is None else [_choose(role, present, f"The model '{card.name}'")]
            files = {f.path: f for f in card.files if f.role in roles}  # one file may hold several networks
            return {path: _fetch(card, f, name.revision, force=force) for path, f in files.items()}
        case HubName() as name:
            config, described = _hub_config(name, force=force)
            roles = _roles(described) if role is None else [_choose(role, _roles(described), f"hf:{name.repository}")]
            weights = {r: fetch_file(name.repository, weights_file(r), revision=config.revision, force=force) for r in roles}
            return {CONFIG: config, **{weights_file(r): fetched for r, fetched in weights.items()}}
        case PathName(path):
            raise InvalidValueError(f"{path} is on this machine already; there is nothing to download.")


# --- finding ----------------------------------------------------------------------------------------------------------


def find_weights(source: Source, role: Role | None, hints: Hints) -> FoundWeights:
    """What ``source`` names, its weights downloaded and read but not yet judged or built.

    Raises:
        GanzooError: as `load`.
    """
    name = parse_name(source)
    if isinstance(name, PathName) and not name.path.is_dir():
        return _from_matches(name.path, recognised(name.path, hints), role)
    if hints.architecture is not None or hints.config:
        raise InvalidValueError(
            f"{source} says itself which architecture and arguments it has.",
            hint="architecture=… and config=… are for checkpoint files of other projects.",
        )
    match name:
        case CatalogueName():
            card = _card(name, os.fspath(source))
            return replace(_from_card(card, role, name.revision), class_names=card.class_names)
        case HubName():
            return _from_hub(name, role)
        case PathName(path):
            return _from_folder(read_model(path), role)


def _card(name: CatalogueName, given: str) -> ModelCard:
    """The card of that name; ``given`` is what was typed."""
    cards = catalog()
    try:
        return cards.find(name.qualified)
    except UnknownNameError as e:
        models = _models_of(name, cards)
        if models is not None:
            listed = f"Its models: {', '.join(models)}." if models else "The catalogue has no model of it."
            hint = f"'{name.qualified}' is an architecture. {listed}"
            raise UnknownNameError("model", name.qualified, models, hint=hint) from e
        if e.close:
            raise
        hint = "There is no file or folder of that name either. `ganzoo list` shows the models."
        raise UnknownNameError("model", given, hint=hint) from e


def _models_of(name: CatalogueName, cards: Catalog) -> list[str] | None:
    """The models of the architecture of that name, or None where there is no such architecture."""
    claims = host().architectures().claims(name.name)
    if not claims or (name.plugin is not None and name.qualified not in claims):
        return None
    return [c.name for c in cards if c.architecture == name.name and name.plugin in (None, c.plugin)]


def _from_card(card: ModelCard, wanted: Role | None, revision: str | None) -> FoundWeights:
    what = f"The model '{card.name}'"
    role = _choose(wanted, [f.role for f in card.files], what)
    file = cast(WeightFile, card.file(role))  # a role that the card has
    # Before the download: a missing plugin should not cost a gigabyte first.
    architecture = host().architecture(card.architecture, plugin=card.plugin, distribution=card.distribution)
    _tell_licence(card)
    fetched = _fetch(card, file, revision)
    config = card.config.get(role)
    if file.format == "safetensors" and config is not None:
        return FoundWeights(what, architecture, role, config, read_safetensors(fetched.path)[0])
    return _converted(fetched, card, role)


def _converted(fetched: Fetched, card: ModelCard, role: Role) -> FoundWeights:
    """A foreign checkpoint of the catalogue: converted once, kept as safetensors."""
    wanted = f"{card.plugin}/{card.architecture}"
    folder = cache_home() / "converted" / conversion_key(fetched.sha256, wanted, card.config.get(role))
    kept = _kept(folder, role)
    if kept is not None:
        return kept
    matches = recognised(fetched.path, Hints(wanted, card.config.get(role)))
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        # Whether NaN is allowed is asked whenever the weights are loaded, not when they are kept.
        kept_as = store(fetched.path, folder, matches, distribution=card.distribution, overwrite=True, allow_nan=True)
        return _from_folder(kept_as, role)
    except OSError as e:  # OutputError is one
        kept = _kept(folder, role)  # another process may have been faster
        if kept is not None:
            return kept
        reason = e.message if isinstance(e, OutputError) else str(e)
        warnings.warn(f"The converted weights could not be kept: {reason}", CacheWarning, stacklevel=5)
        return _from_matches(fetched.path, matches, role)


def _kept(folder: Path, role: Role) -> FoundWeights | None:
    """An earlier conversion; None where there is none, or only the remains of one."""
    if not (folder / CONFIG).is_file():
        return None
    try:
        return _from_folder(read_model(folder), role)
    except CheckpointError as e:
        _log.info("Converting again: %s", e.message)
        return None


def _from_hub(name: HubName, wanted: Role | None) -> FoundWeights:
    config, described = _hub_config(name)
    what = f"hf:{name.repository}"
    role = _choose(wanted, _roles(described), what)
    architecture = _installed(described, what)
    # The very commit that the configuration came from: a push in between must not mix two models.
    weights = fetch_file(name.repository, weights_file(role), revision=config.revision)
    arguments, state = described.arguments(role) or {}, read_safetensors(weights.path)[0]
    return FoundWeights(what, architecture, role, arguments, state, described.class_names)


def _hub_config(name: HubName, *, force: bool = False) -> tuple[Fetched, ModelConfig]:
    hint = "A repository in another layout is not loaded as a whole: download its checkpoint file and give the path."
    try:
        config = fetch_file(name.repository, CONFIG, revision=name.revision, force=force)
        return config, read_config(config.path)
    except RemoteFileNotFoundError as e:
        raise RemoteFileNotFoundError(f"hf:{name.repository} is not in ganzoo's layout: {e.message}", hint=hint) from e
    except CheckpointError as e:
        raise CheckpointError(f"hf:{name.repository} is not in ganzoo's layout: {e.message}", hint=hint) from e


def _from_folder(model: StoredModel, wanted: Role | None) -> FoundWeights:
    what = f"The model in {model.folder}"
    role = _choose(wanted, list(model.files), what)
    architecture = _installed(model.config, f"{model.folder / CONFIG}")
    return FoundWeights(
        what, architecture, role, model.config.arguments(role) or {}, model.state(role), model.config.class_names
    )


def _from_matches(path: Path, matches: list[Match], wanted: Role | None) -> FoundWeights:
    by_role = {m.role: m for m in matches}
    match = by_role[_choose(wanted, list(by_role), str(path))]
    return FoundWeights(str(path), match.architecture, match.role, match.config, match.state)


def recognised(path: Path, hints: Hints) -> list[Match]:
    """The networks in a file, one for each role."""
    known = [(plugin.name, each) for plugin, each in host().architectures().values()]
    checkpoint = read_checkpoint(path, classes=module_classes(known, hints.architecture))
    found = recognise(checkpoint, known, architecture=hints.architecture, config=hints.config)
    return list(best_matches(found).values())


def _installed(config: ModelConfig, where: str) -> Architecture:
    """The architecture that a configuration names. Which package brings it, ``where`` alone says: nobody has reviewed that."""
    try:
        return host().architecture(config.architecture, plugin=config.plugin, distribution=config.distribution)
    except PluginMissingError as e:
        hint = f"{where} names the package that brings it; make sure that you trust it. {e.hint}"
        raise PluginMissingError(e.message, hint=hint) from e


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


def _choose(wanted: Role | None, present: list[Role], what: str) -> Role:
    """The network that is asked for; unless one is, the generator, or whatever there is."""
    role = wanted or (present[0] if present and "generator" not in present else "generator")
    if role not in present:
        listed = ", ".join(dict.fromkeys(present))
        raise CheckpointError(f"{what} has no {role}.", hint=f"It has: {listed}." if listed else None)
    return role


def _roles(config: ModelConfig) -> list[Role]:
    return [r for r in ROLES if config.arguments(r) is not None]
