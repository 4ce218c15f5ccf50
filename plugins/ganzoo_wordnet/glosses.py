"""``wordnet-glosses``: what nouns mean, in the words of WordNet (Miller 1995; Fellbaum 1998)."""

import gzip
import zlib
from importlib.resources import files

from ganzoo.data import TextDataset, split_by_hash
from ganzoo.errors import DataError, InvalidValueError

LICENCE = "WordNet-3.1 (use, change and redistribution for any purpose with its notice kept; the notice is beside the corpus)"
URL = "https://wordnet.princeton.edu/"
SHARES = {"train": 0.9, "valid": 0.05, "test": 0.05}
SPLITS = (*SHARES, "all")
_FILE = "corpus/glosses.txt.gz"


def wordnet_glosses(*, split: str = "train") -> TextDataset:
    """Definitions as natural text: ``a native or inhabitant of Norway``.

    Each has 4 to 16 tokens of `ganzoo.tokenizers.WordTokenizer`, and all of them together less than 5,000 different ones, case
    kept. `ganzoo_wordnet.make_corpus` says how they were chosen.

    Args:
        split: ``train`` (90%), ``valid``, ``test`` (5% each) or ``all``. The hash of each sentence decides. Beside ``train``
            stands ``valid`` as its ``validation``.

    Raises:
        InvalidValueError: no such split.
        DataError: the file that comes with this plugin is damaged.
    """
    if split not in SPLITS:
        raise InvalidValueError(f"wordnet-glosses has no split '{split}'.", hint=f"Use {', '.join(SPLITS)}.")
    lines = _read()
    parts = {"all": lines, **split_by_hash(lines, SHARES)}
    held_out = _dataset(parts["valid"], "valid") if split == "train" else None
    return _dataset(parts[split], split, held_out)


def _dataset(lines: list[str], split: str, validation: TextDataset | None = None) -> TextDataset:
    return TextDataset(lines, f"wordnet-glosses/{split}", validation=validation, licence=LICENCE, url=URL)


def _read() -> list[str]:
    try:
        text = gzip.decompress((files("ganzoo_wordnet") / _FILE).read_bytes()).decode()
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as e:
        raise DataError(f"{_FILE} of the plugin wordnet is damaged: {e}.", hint="Install ganzoo-hub again.") from e
    return text.splitlines()
