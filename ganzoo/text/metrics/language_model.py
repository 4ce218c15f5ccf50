"""What an n-gram language model of the real texts thinks of samples, and one of the samples of the real texts.

The first, the LM score, is low for fluent samples, also where they are few and always the same; the second, the reverse LM
score (Zhao et al. 2018, sec. 5), is high where samples lack what real texts have. Neither means much without the other.
"""

from collections.abc import Mapping

from ganzoo.metrics import Sets, needs
from ganzoo.text.metrics.corpus import generated_words, held_out_words, of_reference, reference_words
from ganzoo.text.metrics.ngram import KneserNey


@needs(features=False, modalities=("text",))
def language_model_metric(sets: Sets) -> Mapping[str, float]:
    """The metric ``lm``: perplexity of the samples."""
    return {"lm-perplexity": _of_reference(sets).perplexity(generated_words(sets))}


@needs(features=False, modalities=("text",), held_out=True)
def reverse_language_model_metric(sets: Sets) -> Mapping[str, float]:
    """The metric ``reverse-lm``: perplexity of the reference, and of the held-out texts where some are given.

    The vocabulary is that of the reference, whatever words the samples have: else a model of few words would look good.
    """
    model = KneserNey(generated_words(sets), _of_reference(sets).vocabulary)
    found = {"reverse-lm-perplexity": model.perplexity(reference_words(sets))}
    unseen = held_out_words(sets)
    return found if unseen is None else {**found, "reverse-lm-held-out": model.perplexity(unseen)}


def _of_reference(sets: Sets) -> KneserNey:
    return of_reference(sets, "language model", lambda: KneserNey(reference_words(sets)))
