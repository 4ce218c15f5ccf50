"""The hooks that a plugin may implement. They return plain data; nothing heavy is imported to answer them.

A plugin is a module named by an entry point in the group ``ganzoo``. It marks its functions with `hookimpl`. Every hook may be
left out. Model cards are no hook: ``cards/*.toml`` beside the plugin's package are found without importing it.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    import click

    from ganzoo.spec import Architecture, Part

PROJECT = "ganzoo"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def ganzoo_architectures() -> "Iterable[Architecture]":  # type: ignore[empty-body]
    """The architectures that this plugin brings."""


@hookspec
def ganzoo_datasets() -> "Iterable[Part]":  # type: ignore[empty-body]
    """Data sets by name. A target is a callable ``(*, split="train") -> ganzoo.data.Dataset``."""


@hookspec
def ganzoo_metrics() -> "Iterable[Part]":  # type: ignore[empty-body]
    """Metrics by name. A target is a callable ``(sets: ganzoo.metrics.Sets) -> Mapping[str, float]``; the part's summary is its
    definition in protocols.

    Most need only ``sets.generated.features [N, D]`` and ``sets.reference.features [M, D]``. The sets also have class scores,
    the examples before the features, the reference data and the generator. Names of figures are lower case with dashes.
    `ganzoo.metrics.needs` marks what a metric cannot do without: features, class scores, a modality.
    """


@hookspec
def ganzoo_features() -> "Iterable[Part]":  # type: ignore[empty-body]
    """Feature spaces for metrics. A target is a callable that makes a `ganzoo.metrics.Features`, without arguments.

    A space of texts has ``modalities = ("text",)`` and is called with lists of texts.

    It may take ``variant``, ``weights`` (a path) and ``revision`` as keyword arguments with defaults: people give them as
    ``<name>:<variant>@<file or revision>``.
    """


@hookspec
def ganzoo_losses() -> "Iterable[Part]":  # type: ignore[empty-body]
    """Adversarial losses by name. A target is a `ganzoo.training.AdversarialLoss`."""


@hookspec
def ganzoo_regularizers() -> "Iterable[Part]":  # type: ignore[empty-body]
    """Regularisers by name. A target is a subclass of `ganzoo.training.Regularizer`."""


@hookspec
def ganzoo_augmentations() -> "Iterable[Part]":  # type: ignore[empty-body]
    """Augmentations by name.

    A target is a callable ``(images, draws, p) -> images``, see `ganzoo.training.Augmentation`, or a mapping of names to
    strengths.
    """


@hookspec
def ganzoo_phases() -> "Iterable[Part]":  # type: ignore[empty-body]
    """Phases of text recipes by name. A target is a subclass of `ganzoo.text.training.TextPhase`."""


@hookspec
def ganzoo_rewards() -> "Iterable[Part]":  # type: ignore[empty-body]
    """Rewards of the phase ``policy-gradient`` by name. A target is a subclass of `ganzoo.text.training.Reward`."""


@hookspec
def ganzoo_commands() -> "Iterable[click.Command]":  # type: ignore[empty-body]
    """Commands for the command line; asked for only when somebody types a command that ganzoo does not have."""


@hookspec
def ganzoo_doctor() -> "Mapping[str, str]":  # type: ignore[empty-body]
    """What ``ganzoo doctor`` should say about this plugin on this machine, e.g. ``{"ffmpeg": "7.1"}``."""
