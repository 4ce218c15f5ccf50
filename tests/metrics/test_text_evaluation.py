"""Texts are evaluated as images are: against the same reference, beside the same controls, under a protocol."""

import json
import math
import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from PIL import Image

from ganzoo.errors import DataError, InvalidValueError, PluginError
from ganzoo.metrics import (
    Decoding,
    Evaluation,
    Metric,
    NoFeatures,
    Sampling,
    Sets,
    Words,
    add_to_record,
    builtin_metrics,
    card_metrics,
    evaluate_decodings,
    evaluate_generator,
    evaluator,
    make_tables,
    needs,
    plot_curves,
    read_record,
    words_of,
)
from ganzoo.models.seeds import sample_seeds
from ganzoo.text.metrics import bleu_scores, self_bleu_scores
from ganzoo.tokenizers import CharTokenizer, IdTokenizer, WordTokenizer
from tests.metrics.text_toys import LINES, Bigrams, Letters, bigrams, silent, texts, with_latent, words
from tests.metrics.toys import Brightness, Linear, bright, trained

OTHERS = ["c b", "a a", "b b b", "a c b"]
UNKNOWN_OF_BERT = {"vocabulary": ["[PAD]", "[UNK]"], "unknown": 1}  # what `words_of` looks at of a tokenizer


def test_the_model_stands_beside_its_controls_without_any_features() -> None:
    result = evaluate_generator(bigrams(), texts(), held_out=texts(OTHERS, "others"), samples=40, seed=3)
    assert [(m.of, m.samples) for m in result.measurements] == [
        ("model", 40),
        ("model", 4),
        ("held-out real data", 4),
        ("random initialisation", 40),
    ]
    model, few, held_out, random = result.measurements
    made = [text.split() for text in bigrams().sample(40, seed=3).text]
    reference = [line.split() for line in LINES]
    assert model.figures["bleu-2"] == bleu_scores(made, reference)[2]
    assert model.figures["self-bleu-3"] == self_bleu_scores(made)[3]
    assert few.figures["bleu-2"] == bleu_scores(made[:4], reference)[2]
    assert held_out.figures["bleu-2"] == bleu_scores([line.split() for line in OTHERS], reference)[2]
    assert held_out.data.startswith("others (") and random.figures != model.figures
    assert set(model.figures) == set(held_out.figures) == {
        *(f"{kind}-{n}" for kind in ("bleu", "self-bleu") for n in (2, 3, 4, 5)),
        *("distinct-1", "distinct-2", "distinct-3", "unique-rate", "overlap-3", "overlap-5", "copied-rate"),
    }  # fmt: skip


def test_the_protocol_says_how_texts_were_drawn_and_cut() -> None:
    found = evaluate_generator(
        bigrams(), texts(), samples=9, seed=2, decoding=Decoding(0.8, top_k=3), metrics=builtin_metrics("distinct")
    ).protocol
    assert (found.temperature, found.top_k, found.top_p) == (0.8, 3, None)
    assert (found.features, found.shape, found.reference_samples, found.samples) == ("none", (), 8, 9)
    assert found.words == "words and punctuation marks" and found.held_out == ""
    for word in ("no features", "letters (", "8 texts", "9 samples of seed 2, temperature 0.8, top-k 3", "words and punct"):
        assert word in str(found)
    assert evaluate_generator(bigrams(), texts(), samples=9, controls=False).protocol.temperature == 1.0  # the model's own
    assert evaluate_generator(silent(), texts(), samples=9, controls=False).protocol.temperature is None  # it has none
    json.dumps(evaluate_generator(bigrams(), texts(), samples=9).to_json())


def test_the_temperature_and_the_limits_reach_the_samples() -> None:
    table = torch.full((7, 7), -30.0)
    table[:, 4], table[:, 5] = 2.0, 0.0  # c is the most frequent word of the lines
    rates = []
    for decoding in (None, Decoding(temperature=0.5), Decoding(top_k=1)):
        found = evaluate_generator(
            bigrams(table), texts(), samples=400, controls=False, decoding=decoding, metrics=[share("c")]
        )
        rates.append(found.model.figures["share"])
    assert rates == [pytest.approx(1 / (1 + math.exp(-2)), abs=0.02), pytest.approx(1 / (1 + math.exp(-4)), abs=0.01), 1.0]


def share(letter: str) -> Metric:
    @needs(features=False)
    def compute(sets: Sets) -> Mapping[str, float]:
        made = [word for text in sets.texts for word in text.split()]
        return {"share": made.count(letter) / len(made)}

    return Metric("share", f"share of {letter}", compute)


def test_samples_are_made_once_for_all_metrics() -> None:
    generator = bigrams()
    evaluate_generator(generator, texts(), held_out=texts(OTHERS, "others"), samples=300, seed=7, controls=False)
    assert generator.drawn == 300
    sampling = Sampling(generator, 300, 7)
    assert [text for batch in sampling for text in batch] == generator.sample(seeds=sample_seeds(300, 7)).text


def test_the_untrained_control_speaks_the_same_vocabulary() -> None:
    seen: list[list[str]] = []

    @needs(features=False)
    def spy(sets: Sets) -> Mapping[str, float]:
        seen.append(sets.texts)
        return {}

    evaluate_generator(bigrams(), texts(), samples=50, seed=1, metrics=[Metric("spy", "x", spy)])
    trained_texts, untrained = seen
    assert trained_texts != untrained and {w for t in untrained for w in t.split()} <= set(words().vocabulary)


def test_features_of_texts_are_kept_in_the_cache_and_measured_as_others() -> None:
    space = Letters()
    metrics = builtin_metrics("fid", "bleu")
    first, second = (evaluate_generator(bigrams(), texts(), space, samples=60, metrics=metrics, controls=False) for _ in "12")
    assert first == second and space.seen == 8 + 2 * 60  # the reference once
    assert first.protocol.features == "letters" and {"frechet-distance", "bleu-2"} <= set(first.model.figures)
    assert "transformers" in first.protocol.versions
    assert "features letters (111111111111; none)" in str(first.protocol)


def test_without_features_nothing_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANZOO_HOME", str(tmp_path))
    evaluate_generator(bigrams(), texts(), samples=9, controls=False)
    assert not list(tmp_path.rglob("*.safetensors"))


@pytest.mark.parametrize(
    ("generator", "data", "features", "metrics", "message"),
    [
        (bigrams(), texts(), Brightness(), ["bleu"], "'brightness' is made for images and vectors, not for texts"),
        (trained(), bright(9, 1), Letters(), ["fid"], "'letters' is made for texts, not for images"),
        (trained(), bright(9, 1), Brightness(), ["bleu"], "The metric 'bleu' measures text, not image"),
        (bigrams(), texts(), Letters(), ["ppl"], "The metric 'ppl' measures image and vector, not text"),
        (bigrams(), texts(), None, ["bleu", "fid"], "The metric 'fid' needs a feature space"),
        (trained(), bright(9, 1), None, None, "The metric 'fid' needs a feature space"),
        (bigrams(), texts(), Letters(), ["modes"], "'modes' needs class scores, and the feature space 'letters' has no"),
        (Linear(), texts(), Letters(), ["bleu"], "Linear makes vectors; letters has texts"),
        (silent(), texts(), None, ["nll"], "Silent cannot tell how likely a text is, which the metric 'nll' asks"),
        (
            with_latent(),
            texts(),
            None,
            ["nll"],
            "Bigrams makes sentences from a latent, so that no single number is the likelihood",
        ),
    ],
)
def test_what_does_not_fit_is_refused(generator, data, features, metrics, message) -> None:  # type: ignore[no-untyped-def]
    chosen = None if metrics is None else builtin_metrics(*metrics)
    with pytest.raises(InvalidValueError, match=message):
        evaluate_generator(generator, data, features, metrics=chosen, samples=9)


@pytest.mark.parametrize("decoding", [Decoding(top_k=3), Decoding(0.5, top_k=1), Decoding(top_p=0.9)])
def test_a_likelihood_of_restricted_draws_is_refused_before_the_work(decoding: Decoding) -> None:
    generator = bigrams()
    for found in (Decoding(), decoding):
        decodings = [found] if found is decoding else [found, decoding]
        with pytest.raises(InvalidValueError, match=r"'nll' counts every token, and top-. leaves only some to draw"):
            evaluate_decodings(Nucleus.of(generator), texts(), decodings=decodings, samples=9, metrics=builtin_metrics("nll"))
    assert generator.drawn == 0
    all_tokens = Decoding(top_p=1.0)
    evaluate_decodings(Nucleus.of(generator), texts(), decodings=[all_tokens], samples=9, metrics=builtin_metrics("nll"))


class Nucleus(Bigrams):
    """Takes every option of drawing."""

    @classmethod
    def of(cls, generator: Bigrams) -> "Nucleus":
        made = cls(**generator.config)
        made.load_state_dict(generator.state_dict())
        return made

    def forward(
        self, latent: torch.Tensor, temperature: float = 1.0, top_k: int | None = None, top_p: float | None = None
    ) -> torch.Tensor:
        return super().forward(latent, temperature, top_k)


def test_data_that_cannot_be_measured() -> None:
    with pytest.raises(DataError, match="one has 1 text; an evaluation needs at least 2"):
        evaluate_generator(bigrams(), texts(["a b"], "one"), samples=9)
    with pytest.raises(InvalidValueError, match="The held-out data letters are the reference"):
        evaluate_generator(bigrams(), texts(), held_out=texts(), samples=9)
    broken = texts()
    broken.lines = [1, 2]  # type: ignore[list-item]  # as a plugin may
    with pytest.raises(PluginError, match="has no `lines` of text"):
        evaluate_generator(bigrams(), broken, samples=9)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"temperature": 0}, "temperature must be a number above 0, not 0"),
        ({"temperature": -0.5}, "temperature must be a number above 0"),
        ({"temperature": math.nan}, "temperature must be a number above 0"),
        ({"temperature": math.inf}, "temperature must be a number above 0"),
        ({"top_k": 0}, "At least 1 token"),
        ({"top_p": 0.0}, "above 0 and at most 1"),
        ({"top_p": 1.1}, "above 0 and at most 1"),
    ],
)
def test_ways_of_drawing_that_are_none(options: dict[str, float], message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        Decoding(**options)  # type: ignore[arg-type]  # a test's own


def test_a_model_that_has_no_temperature_is_not_given_one() -> None:
    with pytest.raises(InvalidValueError, match=r"Silent \(text\) has no sampling option 'temperature'"):
        evaluate_generator(silent(), texts(), samples=9, decoding=Decoding(0.5))
    with pytest.raises(InvalidValueError, match=r"Flat \(image\) has no sampling option 'top-p'"):
        evaluate_generator(trained(), bright(9, 1), Brightness(), samples=9, decoding=Decoding(top_p=0.5))


# --- several temperatures ---------------------------------------------------------------------------------------------


def test_a_sweep_measures_the_controls_once_and_is_one_table(tmp_path: Path) -> None:
    generator, decodings = bigrams(), [Decoding(t) for t in (0.5, 1.0, 2.0)]
    found = evaluate_decodings(generator, texts(), decodings=decodings, held_out=texts(OTHERS, "others"), samples=20, name="m")
    assert [[m.of for m in each.measurements] for each in found] == [
        ["model", "model", "held-out real data", "random initialisation"],
        ["model", "model"],
        ["model", "model"],
    ]
    alone = evaluate_generator(generator, texts(), samples=20, decoding=Decoding(2.0), controls=False, name="m")
    assert alone.model == found[2].model and alone.protocol == found[2].protocol
    (table,) = make_tables(found)
    assert table.headers[:4] == ["MODEL", "MEASURED", "TEMPERATURE", "SAMPLES"]
    assert [row[2] for row in table.rows] == ["0.5", "0.5", "-", "0.5", "1", "1", "2", "2"]
    for each in found:
        add_to_record(tmp_path, each)
    assert read_record(tmp_path / "evaluation.json") == found


def test_the_protocol_of_a_sweep_leaves_the_temperature_to_the_column() -> None:
    found = evaluate_decodings(
        bigrams(), texts(), decodings=[Decoding(t, top_k=3) for t in (0.5, 1.0)], samples=9, controls=False, name="m"
    )
    (table,) = make_tables(found)
    assert "temperature" not in table.protocol and "9 samples of seed 0, top-k 3; words" in table.protocol
    (alone,) = make_tables(found[:1])
    assert alone.protocol == str(found[0].protocol) and "temperature 0.5" in alone.protocol


def test_infinite_figures_are_kept_shown_and_drawn(tmp_path: Path) -> None:
    """At a temperature of almost nothing, texts that are not the likeliest have no probability at all."""
    table = torch.zeros(7, 7)
    table[:, 4] = 2.0
    decodings = [Decoding(1e-310), Decoding(0.001), Decoding(1.0)]
    found = evaluate_decodings(
        bigrams(table), texts(), decodings=decodings, samples=9, metrics=builtin_metrics("nll"), controls=False, name="m"
    )
    cold, cool, usual = (each.model.figures for each in found)
    assert (cold["nll-reference"], cold["perplexity-reference"]) == (math.inf, math.inf)
    assert 709.8 < cool["nll-reference"] < 2001 and cool["perplexity-reference"] == math.inf  # above what a float holds
    assert usual["perplexity-reference"] < 20
    for each in found:
        add_to_record(tmp_path, each)
    written = (tmp_path / "evaluation.json").read_text()
    assert read_record(tmp_path / "evaluation.json") == found
    plain = json.loads(written, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert plain["evaluations"][0]["measurements"][0]["figures"]["nll-reference"] == "Infinity"
    json.dumps([each.to_json() for each in found], allow_nan=False)
    (shown,) = make_tables(found)
    assert shown.rows[0][4:6] == ["inf", "inf"]
    assert tomllib.loads(card_metrics(found[0]))["metrics"][0]["figures"]["nll-reference"] == math.inf
    with Image.open(plot_curves(found, tmp_path / "curve.png")) as picture:
        assert picture.size == (3 * 320, 2 * 220 + 24)
        panels = [picture.crop((x, 0, x + 320, 220)) for x in (0, 320)]
        assert all((31, 119, 180) in {colour for _, colour in panel.getcolors(100_000)} for panel in panels)


def test_what_depends_on_the_reference_alone_is_computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from ganzoo.text.metrics import bleu

    tables: list[int] = []
    original = bleu.References.__init__

    def spy(self, sentences, longest=5):  # type: ignore[no-untyped-def]
        tables.append(len(sentences))
        original(self, sentences, longest)

    monkeypatch.setattr(bleu.References, "__init__", spy)
    decodings = [Decoding(0.5), Decoding(1.0), Decoding(1.5)]
    evaluate_decodings(bigrams(), texts(), decodings=decodings, samples=20, metrics=builtin_metrics("bleu"))
    assert tables == [8]


# --- held-out texts and comparability ---------------------------------------------------------------------------------


def test_held_out_texts_belong_to_the_protocol_where_a_metric_reads_them() -> None:
    def protocol(*metrics: str, lines: list[str] | None = None) -> str:
        unseen = None if lines is None else texts(lines, "others")
        chosen = builtin_metrics(*metrics)
        return evaluate_generator(bigrams(), texts(), held_out=unseen, metrics=chosen, samples=20).protocol.held_out

    assert protocol("nll") == protocol("bleu", lines=OTHERS) == ""
    assert protocol("nll", lines=OTHERS).startswith("others (") and "4 examples" in protocol("nll", lines=OTHERS)
    assert protocol("reverse-lm", lines=OTHERS) != protocol("reverse-lm", lines=OTHERS[1:])


def test_unlike_words_never_share_a_table() -> None:
    lower = WordTokenizer.of(LINES, lower=True)
    one, other = (evaluate_generator(g, texts(), samples=9, controls=False) for g in (bigrams(), bigrams(tokenizer=lower)))
    first, second = make_tables([one, other])
    assert second.apart == ("words: words and punctuation marks, lower case instead of words and punctuation marks",)
    assert [len(t.evaluations) for t in (first, second)] == [1, 1]


def test_the_words_of_tokenizers() -> None:
    assert words_of(WordTokenizer(["a"])).split("A cat's, 1,000!") == ["A", "cat's", ",", "1,000", "!"]
    assert words_of(WordTokenizer(["a"], lower=True)).split("A B") == ["a", "b"]
    assert words_of(CharTokenizer(["a"])) == words_of(WordTokenizer(["a"]))
    assert words_of(IdTokenizer(20)).split_sample("3 14 3") == words_of(IdTokenizer(20)).split("3 14 3") == ["3", "14", "3"]


@pytest.mark.parametrize(
    ("tokenizer", "token"),
    [
        (WordTokenizer(["a"]), "<unk>"),
        (WordTokenizer(["a"], lower=True), "<unk>"),
        (SimpleNamespace(**UNKNOWN_OF_BERT), "[UNK]"),
    ],
)
def test_the_token_for_unknown_words_is_one_word_that_no_real_text_has(tokenizer: Any, token: str) -> None:
    cut = words_of(tokenizer)
    assert cut.split_sample(f"a {token}, b {token}") == ["a", "<unk>", ",", "b", "<unk>"]
    assert "<unk>" not in cut.split(f"a {token}, b {token}") and cut.split(f"a {token}") == ["a", *token_parts(cut, token)]
    assert cut.name in ("words and punctuation marks", "words and punctuation marks, lower case")


def token_parts(cut: Words, token: str) -> list[str]:
    """What the data say is cut as the model was shown it: mark by mark."""
    middle = "UNK" if token.isupper() and "lower" not in cut.name else "unk"
    return [token[0], middle, token[-1]]


def test_unknown_words_of_samples_are_counted_once_and_match_nothing_of_the_reference() -> None:
    table = torch.full((7, 7), -1000.0)
    table[:, 3] = 0.0  # nothing but <unk>, five times
    reference = texts(["<unk> <unk> <unk> <unk> <unk>", "a b"], "marked")
    found = evaluate_generator(
        bigrams(table),
        reference,
        samples=4,
        controls=False,
        metrics=builtin_metrics("bleu", "self-bleu", "distinct", "overlap"),
    ).model.figures
    assert (found["bleu-2"], found["overlap-3"], found["copied-rate"]) == (0, 0, 0)
    assert found["distinct-1"] == 1 / (4 * 5) and found["self-bleu-5"] == 1


# --- while training ---------------------------------------------------------------------------------------------------


def test_an_evaluator_of_texts() -> None:
    measure = evaluator(None, texts(), builtin_metrics("bleu"), samples=30, seed=4)
    expected = evaluate_generator(bigrams(), texts(), samples=30, seed=4, metrics=builtin_metrics("bleu"), controls=False)
    assert measure(bigrams()) == measure(bigrams()) == expected.model.figures
    with pytest.raises(InvalidValueError, match="needs a feature space"):
        evaluator(None, texts(), builtin_metrics("fid"))


def test_the_generator_of_ids_is_measured_by_its_ids() -> None:
    generator = Bigrams(6, 4)
    data = texts(["0 1 2 3", "1 1 2 5"], "ids")
    found = evaluate_generator(generator, data, NoFeatures(), samples=12, metrics=builtin_metrics("distinct", "nll"))
    assert found.protocol.words == "ids" and found.model.figures["unknown-reference"] == 0.0


# --- pictures ---------------------------------------------------------------------------------------------------------


def test_a_model_has_the_same_colour_in_every_panel(tmp_path: Path) -> None:
    decodings = [Decoding(0.5), Decoding(2.0)]

    def swept(name: str, seed: int, *metrics: str) -> list[Evaluation]:
        how: dict[str, Any] = {"metrics": builtin_metrics(*metrics), "samples": 20, "seed": seed, "controls": False}
        return evaluate_decodings(bigrams(), texts(), decodings=decodings, name=name, **how)

    both = [*swept("first", 0, "bleu"), *swept("second", 1, "bleu", "distinct")]
    with Image.open(plot_curves(both, tmp_path / "curve.png")) as picture:
        width, height = picture.size
        panels = [picture.crop((x, y, x + 320, y + 220)) for y in range(0, height - 24, 220) for x in range(0, width, 320)]
    colours = [{colour for _, colour in panel.getcolors(100_000)} for panel in panels]
    first, second = (31, 119, 180), (214, 39, 40)
    assert len(panels) == 9 and all({first, second} <= found for found in colours[:4])  # bleu-2 to -5
    assert all(second in found and first not in found for found in colours[4:8])  # distinct-1 to -3, unique-rate
