"""The figure of the grammar: how many sentences follow it."""

from collections.abc import Mapping

from ganzoo.errors import DataError, InvalidValueError
from ganzoo.metrics import Sets, needs
from ganzoo_grammar.density import GrammarDensity


@needs(features=False, modalities=("text",))
def grammaticality(sets: Sets) -> Mapping[str, float]:
    """``grammatical``: share of the samples that are sentences of the grammar which the reference was drawn from.

    Raises:
        InvalidValueError: no samples.
        DataError: the reference is not drawn from a grammar.
    """
    density = getattr(sets.data, "density", None)
    if not isinstance(density, GrammarDensity):
        raise DataError(f"{sets.data.name} is not drawn from a grammar.", hint="Use the data set grammar as reference.")
    texts = sets.texts
    if not texts:
        raise InvalidValueError("Grammaticality needs at least one sentence.")
    return {"grammatical": sum(map(density.grammatical, texts)) / len(texts)}
