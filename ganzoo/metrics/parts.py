"""The metrics and feature spaces that come with the core, as declarations: importing this imports no torch."""

from typing import TYPE_CHECKING

from ganzoo.naming import NameTable
from ganzoo.spec import Part
from ganzoo.targets import import_callable

if TYPE_CHECKING:
    from ganzoo.metrics.sets import Metric

EXTRA = "evaluation"

METRICS: tuple[Part, ...] = (
    Part(
        id="fid",
        summary="Fréchet distance of two Gaussians fitted to the features (Heusel et al. 2017)",
        target="ganzoo.metrics.frechet:frechet",
    ),
    Part(
        id="kid",
        summary="kernel distance, unbiased, kernel (x.y/D + 1)^3, 100 subsets of at most 1,000 (Bińkowski et al. 2018)",
        target="ganzoo.metrics.fidelity:kernel_distance_metric",
        extra=EXTRA,
    ),
    Part(
        id="is",
        summary="Inception score over 10 parts, with the classifier of the feature space (Salimans et al. 2016)",
        target="ganzoo.metrics.fidelity:inception_score_metric",
        extra=EXTRA,
    ),
    Part(
        id="pr",
        summary="improved precision and recall, k = 3 (Kynkäänniemi et al. 2019)",
        target="ganzoo.metrics.manifold:precision_recall_metric",
    ),
    Part(
        id="dc",
        summary="density and coverage, k = 5 (Naeem et al. 2020)",
        target="ganzoo.metrics.manifold:density_coverage_metric",
    ),
    Part(
        id="ppl",
        summary="path length in z, slerp, whole paths, step 1e-4, squared distance of the features (Karras et al. 2019)",
        target="ganzoo.metrics.path_lengths:path_length_metric",
    ),
    Part(
        id="modes",
        summary="classes that the samples are recognised as, and their divergence from the reference's (Lin et al. 2018)",
        target="ganzoo.metrics.modes:modes_metric",
    ),
)

FEATURES: tuple[Part, ...] = (
    Part(
        id="timm",
        summary="any backbone of timm: timm:<name>, timm:<name>@<revision>, timm:<name>@<file of weights>",
        target="ganzoo.metrics.spaces.timm:TimmFeatures",
        extra=EXTRA,
    ),
    Part(
        id="inception",
        summary="the Inception network of the literature's figures, downloaded; inception@<file> without a network",
        target="ganzoo.metrics.spaces.inception:InceptionFeatures",
        extra=EXTRA,
    ),
    Part(
        id="pixels",
        summary="pixels of a small copy, 16x16 or pixels:<size>",
        target="ganzoo.metrics.spaces.plain:Pixels",
    ),
    Part(id="raw", summary="the numbers as they are, for points", target="ganzoo.metrics.spaces.plain:Raw"),
)


def builtin_metrics(*names: str) -> tuple["Metric", ...]:
    """Metrics of the core by name, e.g. ``builtin_metrics("fid", "kid")``; all of them when none is named.

    `ganzoo.resources.open_metrics` also knows those of plugins.

    Raises:
        UnknownNameError: the core has no such metric; carries the closest names.
        MissingExtraError: one needs an extra that is not installed.
    """
    table: NameTable[Part] = NameTable("metric")
    for part in METRICS:
        table.add("ganzoo", part.id, part)
    return tuple(open_metric(table.find(name)) for name in names or [part.id for part in METRICS])


def open_metric(part: Part) -> "Metric":
    """The metric that a part declares.

    Raises:
        MissingExtraError: it needs an extra that is not installed.
        PluginError: the module or the name in it does not exist, or is no function.
    """
    from ganzoo.metrics.sets import Metric

    compute = import_callable(part.target, f"The metric '{part.id}'", part.extra)
    return Metric(id=part.id, definition=part.summary, compute=compute)
