"""Sentences of an oracle as a data set that knows its own density."""

from ganzoo.data.text import TextDataset
from ganzoo.errors import DataError
from ganzoo.text.oracle.lstm import LSTMOracle
from ganzoo.tokenizers import IdTokenizer

_SEEDS = {"train": 1701, "valid": 1702, "test": 1703}
VALIDATION = 2000  # sentences to stop early on
LICENCE = "CC0-1.0"  # of what our own oracles say


def oracle_dataset(
    oracle: LSTMOracle,
    *,
    split: str = "train",
    sentences: int = 10_000,
    licence: str | None = LICENCE,
) -> TextDataset:
    """Sentences of ``oracle``; each split is a draw of its own, the same each time and on every machine.

    Args:
        oracle: Becomes the ``density`` of the data.
        split: ``train``, ``valid`` or ``test``. Only ``train`` has a validation set: the first sentences of ``valid``.
        sentences: How many; SeqGAN's benchmark trains and tests on 10,000 (Yu et al. 2017, sec. 4.1).
        licence: Of the data.

    Raises:
        DataError: no such split.
        InvalidValueError: fewer than one sentence.
    """
    if split not in _SEEDS:
        raise DataError(f"{oracle.name} has no split '{split}'.", hint=f"Use {', '.join(_SEEDS)}.")
    validation = None
    if split == "train":
        validation = oracle_dataset(oracle, split="valid", sentences=VALIDATION, licence=licence)
    return TextDataset.of_ids(
        oracle.sample(sentences, seed=_SEEDS[split]),
        f"{oracle.name}/{split}",
        tokenizer=IdTokenizer(oracle.vocab_size),
        density=oracle,
        validation=validation,
        licence=licence,
    )
