"""Figures of texts: fluency, variety and what is copied. `ganzoo.metrics` measures models by them.

Importing this package imports nothing heavy: the names are resolved on first use.
"""

from ganzoo.lazy import lazy_names

TYPE_CHECKING = False  # typing.TYPE_CHECKING without importing typing; type checkers know the name
if TYPE_CHECKING:
    from ganzoo.text.metrics.bleu import References as References
    from ganzoo.text.metrics.bleu import bleu_scores as bleu_scores
    from ganzoo.text.metrics.bleu import self_bleu_scores as self_bleu_scores
    from ganzoo.text.metrics.distinct import distinct_ngrams as distinct_ngrams
    from ganzoo.text.metrics.distinct import unique_rate as unique_rate
    from ganzoo.text.metrics.likelihood import Likelihood as Likelihood
    from ganzoo.text.metrics.likelihood import text_likelihood as text_likelihood
    from ganzoo.text.metrics.likelihood import token_likelihood as token_likelihood
    from ganzoo.text.metrics.ngram import KneserNey as KneserNey
    from ganzoo.text.metrics.overlap import copied_rate as copied_rate
    from ganzoo.text.metrics.overlap import ngram_overlap as ngram_overlap
    from ganzoo.text.metrics.two_sample import two_sample_accuracy as two_sample_accuracy

_PUBLIC = {
    "KneserNey": "ngram",
    "Likelihood": "likelihood",
    "References": "bleu",
    "bleu_scores": "bleu",
    "copied_rate": "overlap",
    "distinct_ngrams": "distinct",
    "ngram_overlap": "overlap",
    "self_bleu_scores": "bleu",
    "text_likelihood": "likelihood",
    "token_likelihood": "likelihood",
    "two_sample_accuracy": "two_sample",
    "unique_rate": "distinct",
}

__all__ = [
    "KneserNey",
    "Likelihood",
    "References",
    "bleu_scores",
    "copied_rate",
    "distinct_ngrams",
    "ngram_overlap",
    "self_bleu_scores",
    "text_likelihood",
    "token_likelihood",
    "two_sample_accuracy",
    "unique_rate",
]

__getattr__, __dir__ = lazy_names(__name__, _PUBLIC)
