"""A grammar of 40 words: subjects agree with their verbs, also across a relative clause; at most 12 words a sentence."""

from functools import cache

from ganzoo_grammar.automaton import Automaton, Rules
from ganzoo_grammar.density import GrammarDensity

_NOUNS = (
    ("dog", "dogs"),
    ("cat", "cats"),
    ("bird", "birds"),
    ("child", "children"),
    ("teacher", "teachers"),
    ("farmer", "farmers"),
)
_NOUN_WEIGHTS = (30, 25, 15, 12, 10, 8)
_INTRANSITIVE = (("sleeps", "sleep"), ("sings", "sing"), ("waits", "wait"))
_TRANSITIVE = (("sees", "see"), ("likes", "like"), ("follows", "follow"))
_VERB_WEIGHTS = (50, 30, 20)


def _of_number(number: int, suffix: str) -> dict[str, list[tuple[float, str]]]:
    """The rules that exist once for the singular (0) and once for the plural (1)."""
    noun, verb = f"NOUN{suffix}", f"VERB{suffix}"
    return {
        noun: [(weight, pair[number]) for weight, pair in zip(_NOUN_WEIGHTS, _NOUNS, strict=True)],
        verb: [(weight, pair[number]) for weight, pair in zip(_VERB_WEIGHTS, _TRANSITIVE, strict=True)],
        f"VERB0{suffix}": [(weight, pair[number]) for weight, pair in zip(_VERB_WEIGHTS, _INTRANSITIVE, strict=True)],
        f"REST{suffix}": [(1, f"{noun} RELATIVE{suffix} PREDICATE{suffix} .")],
        f"RELATIVE{suffix}": [(75, ""), (25, f"that {verb} SHORT")],
        f"PREDICATE{suffix}": [(55, f"{verb} OBJECT"), (45, f"VERB0{suffix} HOW")],
    }


RULES: Rules = {
    # After "the", the noun alone tells the number.
    "SENTENCE": [(45, "the ADJECTIVE? REST"), (35, "ONE ADJECTIVE? REST1"), (20, "SEVERAL ADJECTIVE? REST2")],
    "REST": [(65, "REST1"), (35, "REST2")],
    **_of_number(0, "1"),
    **_of_number(1, "2"),
    "OBJECT": [(45, "the ADJECTIVE? NOUN"), (35, "ONE ADJECTIVE? NOUN1"), (20, "SEVERAL ADJECTIVE? NOUN2")],
    "SHORT": [(45, "the NOUN"), (35, "ONE NOUN1"), (20, "SEVERAL NOUN2")],
    "NOUN": [(65, "NOUN1"), (35, "NOUN2")],
    "HOW": [(50, ""), (25, "quietly"), (10, "again"), (10, "near SHORT"), (5, "behind SHORT")],
    "ADJECTIVE?": [(60, ""), (16, "small"), (12, "young"), (8, "happy"), (4, "quiet")],
    "ONE": [(70, "a"), (30, "every")],
    "SEVERAL": [(50, "some"), (30, "two"), (20, "many")],
}


@cache
def english() -> GrammarDensity:
    """The distribution of the sentences of this grammar."""
    return GrammarDensity(Automaton(RULES, "SENTENCE"))
