"""Which architecture a checkpoint belongs to, told from its keys and shapes alone."""

import difflib
import re
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from ganzoo.building import Skeleton, differences, network_class, skeleton
from ganzoo.checkpoint.layout import LayoutReader, Shapes
from ganzoo.checkpoint.reading import Checkpoint
from ganzoo.checkpoint.states import StateDict
from ganzoo.checkpoint.wording import printable
from ganzoo.errors import (
    CheckpointError,
    ConfigError,
    GanzooError,
    MissingExtraError,
    PluginError,
    PluginWarning,
    UnknownNameError,
    UnrecognisedCheckpointError,
)
from ganzoo.spec import Architecture, Layout, Role
from ganzoo.targets import import_target

Architectures = Sequence[tuple[str, Architecture]]
_EMA = re.compile(r"ema|avg|average|running|shadow|smooth|^gs$", re.IGNORECASE)  # Gs: NVIDIA's TensorFlow programs


@dataclass(frozen=True)
class Match:
    """One network found in a checkpoint.

    Attributes:
        plugin: Who brings the architecture.
        architecture: What it is.
        layout: Id of the layout that fits.
        role: Which network of the architecture.
        config: Its constructor arguments.
        place: Where in the file it stands.
    """

    plugin: str
    architecture: Architecture
    layout: str
    role: Role
    config: Mapping[str, Any]
    place: str
    reader: LayoutReader
    source: StateDict

    @cached_property
    def state(self) -> dict[str, Tensor]:
        """Its weights under our names, converted when first asked for."""
        return converted(self.reader, self.source.tensors, self.config)

    @property
    def is_average(self) -> bool:
        """Whether its place in the file says that it is a moving average of the weights."""
        return bool(_EMA.search(self.place))

    @property
    def qualified_name(self) -> str:
        """``<plugin>/<architecture>``."""
        return f"{self.plugin}/{self.architecture.id}"


@dataclass(frozen=True)
class _Candidate:
    plugin: str
    architecture: Architecture
    layout: Layout
    reader: LayoutReader

    @property
    def label(self) -> str:
        return f"{self.plugin}/{self.architecture.id} ({self.layout.role}, layout {self.layout.id})"

    def seen(self, state: StateDict) -> StateDict:
        """Those of the tensors in ``state`` and beside it that this layout counts among the network's.

        Raises:
            PluginError: the plugin's reader failed.
        """
        whole = state.including(self.reader.beside)
        try:
            picked = self.reader.pick(whole.tensors)
        except Exception as e:  # a plugin's code, run on a file of any kind
            raise self.failure(e) from e
        return whole if picked is whole.tensors else replace(whole, tensors=picked)

    def failure(self, e: Exception) -> PluginError:
        """What to say where the reader raised ``e``."""
        return PluginError(f"The layout reader '{self.layout.reader}' of '{self.plugin}' failed: {e!r}.")


def recognise(
    checkpoint: Checkpoint,
    architectures: Architectures,
    *,
    architecture: str | None = None,
    config: Mapping[str, Any] | None = None,
) -> tuple[Match, ...]:
    """The networks in ``checkpoint``. A match is exact: every key is accounted for and every shape is right.

    Args:
        checkpoint: An opened file.
        architectures: Plugin name and architecture of everything it could be.
        architecture: Only this one, as ``<architecture>`` or ``<plugin>/<architecture>``.
        config: Constructor arguments that keys and shapes cannot tell (an activation, say); they win over what is inferred.

    Raises:
        UnknownNameError: ``architecture`` is none of ``architectures``.
        UnrecognisedCheckpointError: nothing fits; it lists what is nearest and the first keys that differ.
        CheckpointError: several architectures fit.
        ConfigError: ``config`` names an argument that no candidate has.
        PluginError, MissingExtraError: nothing fits, and a plugin that might have recognised the file cannot be used.
    """
    chosen = _chosen(architectures, architecture)
    _check_arguments(chosen, config or {})
    broken: list[GanzooError] = []
    candidates = list(_candidates(chosen, broken))
    matches: list[Match] = []
    for state in checkpoint.states:
        if state.part_of is None or all(state.part_of != match.place for match in matches):
            matches += _matches(state, candidates, config or {}, broken)
    if not matches:
        raise broken[0] if broken else _unrecognised(checkpoint, candidates, config or {})
    for problem in dict.fromkeys(e.message for e in broken if isinstance(e, PluginError)):
        warnings.warn(f"An architecture was not tried: {problem}", PluginWarning, stacklevel=3)
    matches = _settled(matches)
    names = sorted({match.qualified_name for match in matches})
    if len(names) > 1:
        raise CheckpointError(
            f"{checkpoint.path} fits several architectures: {' and '.join(names)}.",
            hint="Say which one it is (architecture=…).",
        )
    return tuple(matches)


def _settled(matches: Sequence[Match]) -> list[Match]:
    """Of architectures of one plugin that share a network, the one with most of the file's networks has it, else the first."""
    places = Counter(match.qualified_name for match in matches)
    best: dict[tuple[str, str, str], Match] = {}
    for match in matches:
        network = match.place, match.plugin, match.architecture.networks[match.role]
        if network not in best or places[match.qualified_name] > places[best[network].qualified_name]:
            best[network] = match
    return list(best.values())


def module_classes(architectures: Architectures, architecture: str | None = None) -> frozenset[str]:
    """The classes of modules that the layouts of ``architectures`` know, for `read_checkpoint`.

    Args:
        architectures: As for `recognise`.
        architecture: As for `recognise`.

    Raises:
        UnknownNameError: ``architecture`` is none of ``architectures``.
    """
    # A reader that cannot be used is reported by `recognise`.
    candidates = _candidates(_chosen(architectures, architecture), [])
    return frozenset().union(*(candidate.reader.classes for candidate in candidates))


def best_matches(matches: Iterable[Match]) -> dict[Role, Match]:
    """One match for each role: a moving average before raw weights, else the first in the file."""
    best: dict[Role, Match] = {}
    for match in sorted(matches, key=lambda match: not match.is_average):
        best.setdefault(match.role, match)
    return best


def _chosen(architectures: Architectures, wanted: str | None) -> Architectures:
    if wanted is None:
        return architectures
    chosen = [(plugin, a) for plugin, a in architectures if wanted in (a.id, f"{plugin}/{a.id}")]
    if not chosen:
        raise UnknownNameError("architecture", wanted, difflib.get_close_matches(wanted, [a.id for _, a in architectures]))
    return chosen


def _check_arguments(architectures: Architectures, config: Mapping[str, Any]) -> None:
    known = sorted({field.name for _, a in architectures for field in a.config})
    for name in config:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"Did you mean '{close[0]}'?" if close else None
            raise ConfigError(f"No architecture that is looked for has an argument '{name}'.", hint=hint)


def _candidates(architectures: Architectures, broken: list[GanzooError]) -> Iterator[_Candidate]:
    """Every layout with its reader. One that cannot be used is put into ``broken`` and keeps no other from being tried."""
    for plugin, architecture in architectures:
        for layout in architecture.layouts:
            try:
                yield _Candidate(plugin, architecture, layout, layout_reader(architecture, layout, plugin))
            except (PluginError, MissingExtraError) as e:
                broken.append(e)


def layout_reader(architecture: Architecture, layout: Layout, plugin: str | None = None) -> LayoutReader:
    """The reader of one of an architecture's layouts, imported and made.

    Args:
        architecture: Whose layout it is.
        layout: The layout.
        plugin: Who brings them, for errors.

    Raises:
        MissingExtraError: it needs an extra that is not installed.
        PluginError: it cannot be imported or made, or is no `LayoutReader`.
    """
    what = f"The architecture '{architecture.id if plugin is None else f'{plugin}/{architecture.id}'}'"
    found = import_target(layout.reader, what, architecture.extra)
    if not (isinstance(found, type) and issubclass(found, LayoutReader)):
        raise PluginError(f"{what} names '{layout.reader}', which is no class derived from ganzoo.checkpoint.LayoutReader.")
    try:
        return found()
    except TypeError as e:
        raise PluginError(f"{what} names '{layout.reader}', which cannot be made: {e}.") from e


def _matches(
    alone: StateDict, candidates: Iterable[_Candidate], config: Mapping[str, Any], broken: list[GanzooError]
) -> list[Match]:
    """At most one match for each architecture: its first layout that fits."""
    found: dict[str, Match] = {}
    for candidate in candidates:
        plugin, architecture, layout = candidate.plugin, candidate.architecture, candidate.layout
        name = f"{plugin}/{architecture.id}"
        if name in found:
            continue
        try:
            state = candidate.seen(alone)
            arguments = _arguments(candidate, state, config)
            network = None if arguments is None else _network(candidate, arguments)
        except ConfigError:  # the file states something that this architecture does not do
            continue
        except (PluginError, MissingExtraError) as e:
            broken.append(e)
            continue
        if arguments is None:
            continue
        if isinstance(network, Skeleton) and not _problems(candidate, state, arguments, network):
            complete = network.config
            found[name] = Match(plugin, architecture, layout.id, layout.role, complete, state.place, candidate.reader, state)
    return list(found.values())


def _network(candidate: _Candidate, config: Mapping[str, Any]) -> Skeleton | str:
    """What the network that the arguments describe is made of; or why there is none."""
    try:
        return skeleton(network_class(candidate.architecture, candidate.layout.role), config)
    except ConfigError as e:
        return e.message


def _arguments(candidate: _Candidate, state: StateDict, config: Mapping[str, Any]) -> dict[str, Any] | None:
    """The constructor arguments for ``state``, ``config`` taken over as far as this network has such arguments.

    Raises:
        ConfigError: the file states something that the architecture does not do.
    """
    reader = candidate.reader
    try:
        inferred = reader.config(state.shapes)
        if inferred is not None and state.stated is not None:
            inferred = reader.refine(inferred, state.stated)
    except ConfigError:
        raise
    except Exception as e:  # a plugin's code, run on a file of any shape
        raise candidate.failure(e) from e
    if inferred is None:
        return None
    mine = {field.name for field in candidate.architecture.config if candidate.layout.role in field.roles}
    return {**inferred, **{name: value for name, value in config.items() if name in mine}}


def _problems(candidate: _Candidate, state: StateDict, config: Mapping[str, Any], network: Skeleton) -> list[str]:
    """What keeps ``state`` from being this network, in the file's own names as far as possible; empty when it fits exactly."""
    reader, shapes = candidate.reader, state.shapes
    expected, optional = reader.keys(config), reader.optional(config)
    missing = [key for key in expected if key not in shapes and key not in optional]
    unexpected = [key for key in shapes if key not in expected]
    own = network.shapes
    problems = [] if missing or unexpected else differences(own, _converted_shapes(reader, state, config))
    renamed = type(reader).convert is LayoutReader.convert  # then their shapes are ours
    if not (missing or unexpected) and not (problems and renamed):
        return problems
    theirs = {
        key: own.get(ours, ()) if renamed else shapes.get(key, ()) for key, ours in expected.items() if key not in optional
    }
    return differences({**theirs, **{key: shapes[key] for key in optional if key in shapes}}, shapes) or problems


def _converted_shapes(reader: LayoutReader, state: StateDict, config: Mapping[str, Any]) -> Shapes:
    meta = {name: torch.empty_like(tensor, device="meta") for name, tensor in state.tensors.items()}
    try:
        found = converted(reader, meta, config)
    except (NotImplementedError, RuntimeError):  # a conversion that needs values
        found = converted(reader, state.tensors, config)
    return {name: tuple(tensor.shape) for name, tensor in found.items()}


def converted(reader: LayoutReader, tensors: Mapping[str, Tensor], config: Mapping[str, Any]) -> dict[str, Tensor]:
    """Our state dict from theirs, what the file lacks and may lack filled in."""
    filled = {key: torch.tensor(value) for key, value in reader.optional(config).items() if key not in tensors}
    return reader.convert({**tensors, **filled}, config)


# --- when nothing fits ------------------------------------------------------------------------------------------------


def _unrecognised(
    checkpoint: Checkpoint, candidates: Sequence[_Candidate], given: Mapping[str, Any]
) -> UnrecognisedCheckpointError:
    ranked = sorted(
        (
            (_likeness(candidate, state), i, candidate, state)
            for i, candidate in enumerate(candidates)
            for state in map(candidate.seen, checkpoint.states)
        ),
        key=lambda entry: (-entry[0], entry[1]),
    )
    near = [entry for entry in ranked if entry[0] > 0]
    if not near:
        some = ", ".join(printable(key) for key in list(checkpoint.states[0].tensors)[:5])
        return UnrecognisedCheckpointError(
            f"{checkpoint.path} fits no architecture of an installed plugin; none of its keys is known. It begins with {some}."
            f"{_said(checkpoint.states[0])}",
            hint="ganzoo plugins lists what is installed.",
        )
    labels = list(dict.fromkeys(f"{entry[2].label}, {entry[0]:.0%} of the keys" for entry in near))[:3]
    _, _, candidate, state = near[0]
    where = f" at '{printable(state.place)}'" if state.place else ""
    config = _defaults(candidate)
    try:
        config = _arguments(candidate, state, {}) or config
        network = _network(candidate, config)
    except (ConfigError, PluginError, MissingExtraError) as e:
        network = e.message
    problems = [network] if isinstance(network, str) else _problems(candidate, state, config, network)
    if not problems:  # so it is the arguments
        listed = ", ".join(f"{name}={value!r}" for name, value in given.items())
        return UnrecognisedCheckpointError(
            f"{checkpoint.path} fits no architecture with {printable(listed, 300)}; without, it fits {candidate.label}.",
            hint="Arguments that follow from each other have to be given together.",
        )
    listed = "\n  ".join(printable(line, 500) for problem in problems for line in problem.splitlines())
    return UnrecognisedCheckpointError(
        f"{checkpoint.path} fits no architecture of any installed plugin.{_said(state)} The nearest are {'; '.join(labels)}.\n"
        f"For {candidate.label}, the weights{where} differ:\n  {listed}",
        hint="If a plugin for it exists, install it; ganzoo plugins lists what is installed.",
    )


def _said(state: StateDict) -> str:
    """What the file calls the network, as a sentence."""
    if state.stated is None or not (state.stated.name or state.stated.program):
        return ""
    name = f" '{printable(state.stated.name)}'" if state.stated.name else ""
    of = f" of {state.stated.program}" if state.stated.program else ""
    return f" The file says that this network is{name}{of}."


def _likeness(candidate: _Candidate, state: StateDict) -> float:
    """Shared keys over all keys, with the arguments told from the shapes or else the defaults."""
    try:
        config = _arguments(candidate, state, {}) or _defaults(candidate)
    except ConfigError:
        config = _defaults(candidate)
    known = set(candidate.reader.keys(config))
    return len(known & set(state.tensors)) / max(1, len(known | set(state.tensors)))


def _defaults(candidate: _Candidate) -> dict[str, Any]:
    return {field.name: field.default for field in candidate.architecture.config if candidate.layout.role in field.roles}
