"""Self-BLEU-2 to 5 of 1,000 sentences: ganzoo's against nltk's ``sentence_bleu``, leave-one-out, method 1 smoothing.

    export OMP_NUM_THREADS=1
    python benchmarks/self_bleu.py                          # the built-in glosses, a minute
    python benchmarks/self_bleu.py --data ./lines.txt --sentences 500 --subset 10

Both compare every sentence with all the others. nltk counts the references again for each sentence, so its time is that of a
subset of the sentences (still each against all the others), scaled to all of them; that is said where it is printed. All four
orders come out of one call of nltk. Prints the CPU seconds of each, their ratio, and how far their values are apart.
"""

import argparse
import time
import warnings

from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu

from ganzoo.metrics.words import PLAIN
from ganzoo.resources import open_dataset
from ganzoo.text.metrics import References, self_bleu_scores
from ganzoo.text.metrics.bleu import ORDERS

TARGET = 100


def nltk_scores(sentences: list[list[str]], which: range) -> list[list[float]]:
    """BLEU-2 to 5 of some of the sentences against all the others."""
    smooth, weights = SmoothingFunction(epsilon=0.1).method1, [(1 / n,) * n for n in ORDERS]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of orders without a match
        return [
            sentence_bleu(sentences[:i] + sentences[i + 1 :], sentences[i], weights, smoothing_function=smooth) for i in which
        ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="wordnet-glosses")
    parser.add_argument("--sentences", type=int, default=1000)
    parser.add_argument("--subset", type=int, default=20, help="sentences that nltk measures")
    arguments = parser.parse_args()
    sentences = [PLAIN.split(line) for line in open_dataset(arguments.data).lines[: arguments.sentences]]  # type: ignore[attr-defined]
    which = range(0, len(sentences), max(1, len(sentences) // arguments.subset))

    start = time.process_time()
    found = self_bleu_scores(sentences)
    ours = time.process_time() - start
    start = time.process_time()
    theirs = nltk_scores(sentences, which)
    measured = time.process_time() - start
    scaled = measured * len(sentences) / len(which)

    table = References(sentences)
    apart = max(
        abs(table.scores(sentences[i], member=True)[n - 1] - value)
        for i, values in zip(which, theirs, strict=True)
        for n, value in zip(ORDERS, values, strict=True)
    )
    print(f"{len(sentences)} sentences of {arguments.data}, {sum(map(len, sentences)) / len(sentences):.1f} words each")
    print("  ".join(f"self-BLEU-{n} {value:.4f}" for n, value in found.items()))
    print(f"ganzoo  {ours:8.2f} CPU s")
    print(f"nltk    {scaled:8.2f} CPU s (scaled from {len(which)} sentences in {measured:.2f} s)")
    print(f"ratio   {scaled / ours:8.0f}    target {TARGET}")
    print(f"largest difference of a sentence's value, {len(which)} sentences: {apart:.1e}")


if __name__ == "__main__":
    main()
