"""Sentences whose probabilities are known exactly, from a small probabilistic grammar of English."""

from ganzoo.hookspecs import hookimpl
from ganzoo.spec import Part

_GRAMMAR = Part(
    id="grammar",
    summary="sentences of a grammar of 40 words, likelihood known exactly; splits train (10,000), valid, test (1,000 each)",
    target="ganzoo_grammar.sentences:grammar",
)
_GRAMMATICAL = Part(
    id="grammatical",
    summary="share of the samples that are sentences of the grammar which the reference was drawn from",
    target="ganzoo_grammar.metric:grammaticality",
)


@hookimpl
def ganzoo_datasets() -> list[Part]:
    """The data sets of this plugin."""
    return [_GRAMMAR]


@hookimpl
def ganzoo_metrics() -> list[Part]:
    """The metrics of this plugin."""
    return [_GRAMMATICAL]
