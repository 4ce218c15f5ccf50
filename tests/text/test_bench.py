"""The report: its controls are always there, the comparison is at equal NLL_test, and what is written says the same."""

import csv
import json
import math
from pathlib import Path

import pytest
import torch
from PIL import Image

from ganzoo.errors import InvalidValueError, OutputError
from ganzoo.text.bench import (
    HEADERS,
    Controls,
    Curve,
    Point,
    Report,
    draw_curve,
    judge,
    make_report,
    report_csv,
    report_json,
    report_text,
    table_rows,
    write_report,
)
from ganzoo.text.oracle import Estimate, LSTMOracle, Yardstick
from tests.text.tables import Bigrams


def point(nll_test: float, nll_oracle: float, temperature: float = 1.0, error: float = 0.0) -> Point:
    return Point(f"T = {temperature:g}", Estimate(nll_test, error), Estimate(nll_oracle, error), temperature)


CURVE = Curve([point(7.7, 9.4, 1.0), point(8.1, 8.2, 0.7), point(7.8, 8.9, 0.85)])


@pytest.mark.parametrize(
    ("nll_test", "wanted"),
    [
        *((7.7, 9.4), (7.725, 9.15), (7.8, 8.9), (8.1, 8.2), (7.69, None), (8.11, None)),
        (8.0, 8.9 - 0.7 * (math.sqrt(0.3) - math.sqrt(0.1)) / (math.sqrt(0.4) - math.sqrt(0.1))),
    ],
)
def test_the_curve_runs_from_point_to_point_with_the_root_of_the_excess(nll_test: float, wanted: float | None) -> None:
    found = CURVE.at(nll_test)
    assert (None if found is None else found.value) == (None if wanted is None else pytest.approx(wanted))


def test_few_temperatures_give_the_curve_of_many() -> None:
    """NLL_test grows with the square of the temperature's change and NLL_oracle linearly, as around any calibrated model."""

    def sweep(*temperatures: float) -> Curve:
        return Curve([point(3.5 + 1.5 * (1 - t) ** 2, 3.9 - 2.5 * (1 - t), t) for t in temperatures])

    coarse, fine = sweep(1.0, 0.8, 0.5), sweep(*(1 - i / 200 for i in range(101)))
    for nll_test in (3.501, 3.51, 3.53, 3.6, 3.8):
        one, many = coarse.at(nll_test), fine.at(nll_test)
        assert one is not None and many is not None
        assert one.value == pytest.approx(many.value, abs=1e-3)


def test_where_the_curve_turns_back_its_better_branch_counts() -> None:
    curve = Curve([point(8.0, 10.0, 1.2), point(7.6, 9.0, 1.0), point(8.0, 8.0, 0.8)])
    found = curve.at(7.7)
    assert found is not None
    assert found.value == pytest.approx(8.5)


def test_a_curve_of_one_point_and_of_none() -> None:
    assert Curve([point(7.7, 9.4)]).at(7.7) == Estimate(9.4, 0)
    assert Curve([point(7.7, 9.4)]).at(7.8) is None
    with pytest.raises(InvalidValueError):
        Curve([])


def test_an_interpolated_point_has_the_errors_of_its_neighbours() -> None:
    curve = Curve([point(7.0, 9.0, 1.0, 0.4), point(8.0, 8.0, 0.5, 0.3)])
    found = curve.at(7.25)
    assert found is not None
    assert found.error == pytest.approx(math.hypot(0.2, 0.15))


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (point(7.8, 9.3), "0.400 above the curve: worse"),
        (point(7.8, 8.7), "0.200 below the curve: better"),
        (point(7.8, 8.91, error=0.01), "no difference that can be told from chance"),
        (point(7.69, 9.1, error=0.01), "with that NLL_test has 9.400 ± 0.000: 0.300 below the curve: better"),
        (point(7.5, 9.0), "below that of MLE at every temperature (best: 7.700 ± 0.000, T = 1), beside which"),
        (point(7.5, 9.0), "better by 0.400 (9.400)"),
        (point(7.5, 9.5), "worse by 0.100 (9.400)"),
        (point(8.5, 8.3), "above that of MLE down to temperature 0.7"),
        (point(8.5, 8.3), "worse by 0.100 (8.200)"),
    ],
)
def test_a_model_is_judged_in_words(model: Point, words: str) -> None:
    verdict = judge(Point("seqgan", model.nll_test, model.nll_oracle), CURVE)
    assert words in verdict.words
    assert verdict.words.startswith("seqgan:")
    assert (verdict.difference is None) == (model.nll_test.value in (7.5, 8.5))


# --- a whole report on a tiny oracle ---


@pytest.fixture(scope="module")
def yardstick() -> Yardstick:
    oracle = LSTMOracle.seeded(1, vocab_size=3, hidden_size=4, embedding_size=5, length=4)
    return Yardstick(oracle, oracle.sample(1500, seed=1))


def fitted(yardstick: Yardstick) -> Bigrams:
    """The best table of bigrams for the oracle's text: what MLE would find."""
    text = yardstick.held_out
    before = torch.cat([torch.zeros(len(text), 1, dtype=torch.int64), text[:, :-1]], dim=1)
    counts = torch.bincount((before * 3 + text).flatten(), minlength=9).reshape(3, 3)
    generator = Bigrams()
    with torch.no_grad():
        generator.table.copy_((counts / counts.sum(1, keepdim=True)).log())
    return generator


def sharpened(generator: Bigrams, factor: float, noise: float = 0.0) -> Bigrams:
    made = Bigrams()
    rng = torch.Generator().manual_seed(0)
    with torch.no_grad():
        made.table.copy_(generator.table * factor + noise * torch.randn(3, 3, generator=rng))
    return made


@pytest.fixture(scope="module")
def report(yardstick: Yardstick) -> Report:
    mle = fitted(yardstick)
    controls = Controls(mle, constant=sharpened(mle, 1.3), note="epoch 5 of 20")
    models = {"seqgan": sharpened(mle, 1.2, noise=0.7), "collapsed": sharpened(mle, 2.2)}
    return make_report(yardstick, models, controls, oracle="tiny", temperatures=(0.9, 0.8, 0.7), samples=1500, seed=5)


def test_the_controls_are_always_in_the_table(report: Report) -> None:
    names = [row.name for row in report.rows]
    assert names[:2] == ["seqgan", "collapsed"]
    assert names[2:6] == ["MLE (epoch 5 of 20)", "MLE, T = 0.9", "MLE, T = 0.8", "MLE, T = 0.7"]
    assert names[-2:] == ["constant reward", "the oracle itself"]
    assert [row.kind for row in report.rows[:4]] == ["model", "model", "baseline", "temperature"]
    assert all(row.measures.samples == 1500 for row in report.rows)


def test_the_sweep_goes_on_until_it_reaches_the_coldest_model(report: Report) -> None:
    collapsed = report.rows[1].measures.nll_test.value
    sweep = [row for row in report.rows if row.kind == "temperature"]
    assert [row.temperature for row in sweep] == [0.9, 0.8, 0.7, 0.6, 0.5, 0.4]  # 1 / 2.2 lies between the last two
    assert sweep[-2].measures.nll_test.value < collapsed <= sweep[-1].measures.nll_test.value


def test_a_sharpened_baseline_lies_on_the_baselines_curve(report: Report) -> None:
    verdicts = {verdict.name: verdict for verdict in report.verdicts}
    assert list(verdicts) == ["seqgan", "collapsed", "constant reward"]
    for name in ("collapsed", "constant reward"):
        found = verdicts[name].difference
        assert found is not None
        assert abs(found.value) < 4 * found.error + 0.01, name
    seqgan = verdicts["seqgan"].difference
    assert seqgan is not None
    assert seqgan.value > 4 * seqgan.error  # noise in the table is no temperature
    assert "above the curve: worse" in verdicts["seqgan"].words


def test_less_than_the_entropy_is_called_collapse(report: Report) -> None:
    (note,) = (note for note in report.notes if note.startswith("collapsed:"))
    assert "below the oracle's entropy" in note
    assert not any(note.startswith(("MLE", "the oracle")) for note in report.notes)


def test_a_report_without_a_model_or_with_a_controls_name(yardstick: Yardstick) -> None:
    controls = Controls(Bigrams(), Bigrams())
    with pytest.raises(InvalidValueError, match="no model"):
        make_report(yardstick, {}, controls, oracle="tiny")
    for name in ("constant reward", "MLE", "MLE, T = 0.9", "the oracle itself"):
        with pytest.raises(InvalidValueError, match=name):
            make_report(yardstick, {name: Bigrams()}, controls, oracle="tiny")


def test_progress_is_told_before_each_row(yardstick: Yardstick) -> None:
    told: list[str] = []
    mle = fitted(yardstick)
    made = make_report(
        yardstick, {"m": mle}, Controls(mle, mle), oracle="tiny", temperatures=(0.8,), samples=50, progress=told.append
    )
    assert sorted(told) == sorted(row.name for row in made.rows)


def test_the_table_and_the_words_say_what_was_measured(report: Report) -> None:
    (first, *_) = table_rows(report)
    measures = report.rows[0].measures
    assert first[:3] == ["seqgan", f"{measures.nll_oracle.value:.3f}", f"{measures.nll_test.value:.3f}"]
    assert first[-2:] == [f"{measures.distinct_2:.3f}", f"{measures.unique:.3f}"]
    assert len(first) == len(HEADERS)
    text = report_text(report)
    for words in (*(row.name for row in report.rows), *(v.words for v in report.verdicts), *report.notes, "1,500 held-out"):
        assert words in text
    assert max(len(line) for line in text.splitlines()[2:13]) < 130


def test_json_and_csv_hold_every_figure(report: Report) -> None:
    data = json.loads(json.dumps(report_json(report)))
    measures = report.rows[0].measures
    assert data["rows"][0]["measures"]["js"] == {"value": measures.js.value, "error": measures.js.error}
    assert data["verdicts"][0]["words"] == report.verdicts[0].words
    assert data["entropy"]["value"] == report.entropy.value
    lines = list(csv.DictReader(report_csv(report).splitlines()))
    assert [line["name"] for line in lines] == [row.name for row in report.rows]
    assert float(lines[0]["nll_test"]) == measures.nll_test.value
    assert float(lines[0]["nll_test_error"]) == measures.nll_test.error
    assert float(lines[3]["temperature"]) == 0.9


def test_the_picture_shows_every_point(report: Report) -> None:
    picture = draw_curve(report)
    colours = {colour for _, colour in picture.getcolors(10**6)}  # type: ignore[union-attr]
    blue, red, green, orange = (31, 119, 180), (214, 39, 40), (44, 160, 44), (255, 127, 14)
    assert {blue, red, green, orange} <= colours  # the sweep, two models, the control
    pixels = picture.load()
    assert pixels is not None

    def places(colour: tuple[int, int, int]) -> list[tuple[int, int]]:
        return [(x, y) for x in range(91, 760) for y in range(61, 610) if pixels[x, y] == colour]

    def centre(colour: tuple[int, int, int]) -> tuple[float, float]:
        found = places(colour)
        return sum(x for x, _ in found) / len(found), sum(y for _, y in found) / len(found)

    seqgan, collapsed = report.rows[0].measures, report.rows[1].measures
    (x0, y0), (x1, y1) = centre(red), centre(green)
    assert (x1 > x0) == (collapsed.nll_test.value > seqgan.nll_test.value)
    assert (y1 > y0) == (collapsed.nll_oracle.value < seqgan.nll_oracle.value)  # better quality is lower down


def test_everything_is_written_into_a_folder(report: Report, tmp_path: Path) -> None:
    written = write_report(report, tmp_path / "bench")
    assert sorted(path.name for path in (tmp_path / "bench").iterdir()) == [
        "curve.png",
        "report.csv",
        "report.json",
        "report.txt",
    ]
    assert [path.name for path in written] == ["report.json", "report.csv", "report.txt", "curve.png"]
    assert json.loads((tmp_path / "bench" / "report.json").read_text())["oracle"] == "tiny"
    with Image.open(tmp_path / "bench" / "curve.png") as picture:
        assert (picture.format, picture.size) == ("PNG", (1100, 700))
    write_report(report, tmp_path / "bench")  # again, over the old one
    with pytest.raises(OutputError, match="does not exist"):
        write_report(report, tmp_path / "no" / "bench")
