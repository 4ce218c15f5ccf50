"""The metrics and feature spaces that come with the core, as declarations: importing this imports no torch."""

from typing import TYPE_CHECKING

from ganzoo.naming import NameTable
from ganzoo.spec import Part
from ganzoo.targets import import_callable

if TYPE_CHECKING:
    from ganzoo.metrics.sets import Metric

EXTRA = "evaluation"
TEXT_EXTRA = "text"
MAUVE_EXTRA = "mauve"

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
    Part(
        id="c2st",
        summary="two-sample test: accuracy of a linear classifier over 5 folds, equal counts (Lopez-Paz and Oquab 2017)",
        target="ganzoo.text.metrics.two_sample:two_sample_metric",
    ),
    Part(
        id="mauve",
        summary="MAUVE of mauve-text with its defaults (Pillutla et al. 2021)",
        target="ganzoo.text.metrics.mauve:mauve_metric",
        extra=MAUVE_EXTRA,
    ),
    Part(
        id="bleu",
        summary="BLEU-2 to 5 of each sample against all texts of the reference, smoothing 0.1, mean (Papineni et al. 2002)",
        target="ganzoo.text.metrics.bleu:bleu_metric",
    ),
    Part(
        id="self-bleu",
        summary="BLEU-2 to 5 of each sample against all other samples, itself left out, smoothing 0.1, mean (Zhu et al. 2018)",
        target="ganzoo.text.metrics.bleu:self_bleu_metric",
    ),
    Part(
        id="distinct",
        summary="distinct 1-, 2- and 3-grams over all of them, distinct texts over all of them (Li et al. 2016)",
        target="ganzoo.text.metrics.distinct:distinct_metric",
    ),
    Part(
        id="overlap",
        summary="shares of 3- and 5-grams and of whole samples that occur in the reference word for word",
        target="ganzoo.text.metrics.overlap:overlap_metric",
    ),
    Part(
        id="lm",
        summary="perplexity of the samples under a modified Kneser-Ney 5-gram model of the reference (Chen and Goodman 1999)",
        target="ganzoo.text.metrics.language_model:language_model_metric",
    ),
    Part(
        id="reverse-lm",
        summary="perplexity of real texts under a Kneser-Ney model, as in lm, of the samples; vocabulary of the reference",
        target="ganzoo.text.metrics.language_model:reverse_language_model_metric",
    ),
    Part(
        id="nll",
        summary="negative log-likelihood a token and perplexity of real texts, cut to the model's length, ends included",
        target="ganzoo.text.metrics.likelihood:likelihood_metric",
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
    Part(
        id="minilm",
        summary="of texts: sentence vectors of all-MiniLM-L6-v2, which comes in a package, no download",
        target="ganzoo.text.features:EncoderFeatures",
        extra=TEXT_EXTRA,
    ),
    Part(
        id="encoder",
        summary="of texts: any sentence encoder, encoder:<organisation/name>@<revision> or encoder@<folder>",
        target="ganzoo.text.features:EncoderFeatures",
        extra=TEXT_EXTRA,
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
