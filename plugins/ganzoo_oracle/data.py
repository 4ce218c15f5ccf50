"""The data sets: two seeded oracles of our own. The published oracle of SeqGAN has no licence and is not here.

Their seeds are those, of the first few, whose entropies are nearest to 5.76 nats per word, the published oracle's, and to 3.17,
that of the small oracle of our first experiments. They have 5.80 and 3.16:

    python benchmarks/oracle.py
    python benchmarks/oracle.py --oracle text-oracle-small
"""

from ganzoo.data import TextDataset
from ganzoo.text.oracle import LSTMOracle, oracle_dataset

SENTENCES = 10_000
SMALL_SENTENCES = 2000  # for training; few enough to be overfitted, as 10,000 are with 5,000 words


def text_oracle(*, split: str = "train") -> TextDataset:
    """5,000 words, sentences of 20, embedding and state of 32, as in Yu et al. 2017, sec. 4.1.

    Raises:
        DataError: no such split.
    """
    oracle = LSTMOracle.seeded(6, name="text-oracle")
    return oracle_dataset(oracle, split=split, sentences=SENTENCES)


def text_oracle_small(*, split: str = "train") -> TextDataset:
    """100 words, sentences of 10, embedding and state of 16: small enough that models and oracle can be compared exactly.

    Raises:
        DataError: no such split.
    """
    oracle = LSTMOracle.seeded(4, vocab_size=100, hidden_size=16, embedding_size=16, length=10, name="text-oracle-small")
    return oracle_dataset(oracle, split=split, sentences=SMALL_SENTENCES if split == "train" else SENTENCES)
