import tomllib

import msgspec
import pytest

from ganzoo import spec
from ganzoo.metrics import Evaluation, Measurement, Protocol, card_metrics, make_tables

PROTOCOL = Protocol(
    features="digits",
    features_sha256="1" * 64,
    preprocessing="as it is",
    reference="mnist-5k/train",
    reference_sha256="2" * 64,
    reference_samples=4000,
    shape=(1, 32, 32),
    resize="bicubic",
    flips=False,
    samples=500,
    seed=3,
    truncation=None,
    condition="unconditional",
    metrics={"fid": "Fréchet"},
    versions={"ganzoo": "1", "torch": "2"},
    platform="Linux",
)


def evaluation(name: str, distance: float = 1.0, **changes: object) -> Evaluation:
    return Evaluation(
        name=name,
        weights_sha256="3" * 64,
        protocol=msgspec.structs.replace(PROTOCOL, **changes),
        measurements=(
            Measurement(of="model", samples=500, figures={"frechet-distance": distance}),
            Measurement(of="held-out real data", samples=100, data="test (4444)", figures={"frechet-distance": 0.00042}),
        ),
    )


def test_equal_protocols_share_a_table_and_the_control() -> None:
    (table,) = make_tables([evaluation("a", 1.5), evaluation("b", 22.0)])
    assert table.headers == ["MODEL", "MEASURED", "SAMPLES", "FRECHET-DISTANCE"]
    assert table.rows == [
        ["a", "model", "500", "1.500"],
        ["", "held-out real data", "100", "0.00042"],
        ["b", "model", "500", "22.000"],
    ]
    assert not table.apart and not table.remarks


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("features", "inception", "features: inception instead of digits"),
        ("features_sha256", "5" * 64, "features_sha256: 555"),
        ("preprocessing", "resized", "preprocessing: resized instead of as it is"),
        ("reference_sha256", "5" * 64, "reference_sha256: 555"),
        ("reference_samples", 10, "reference_samples: 10 instead of 4000"),
        ("shape", (3, 64, 64), "shape: 3x64x64 instead of 1x32x32"),
        ("resize", "box", "resize: box instead of bicubic"),
        ("flips", True, "flips: True instead of False"),
        ("samples", 50, "samples: 50 instead of 500"),
        ("truncation", 0.5, "truncation: 0.5 instead of none"),
        ("condition", "class 1 only", "condition: class 1 only instead of unconditional"),
        ("metrics", {"fid": "another"}, "metrics: fid: another instead of fid: Fréchet"),
        ("top_k", 5, "top_k: 5 instead of none"),
        ("top_p", 0.9, "top_p: 0.9 instead of none"),
        ("words", "ids", "words: ids instead of "),
        ("held_out", "other (123)", "held_out: other (123) instead of "),
    ],
)
def test_unlike_figures_stand_apart_and_the_difference_is_named(field: str, value: object, words: str) -> None:
    first, second = make_tables([evaluation("a"), evaluation("b", **{field: value})])
    assert [e.name for e in first.evaluations] == ["a"] and not first.apart
    assert [e.name for e in second.evaluations] == ["b"]
    (reason,) = second.apart
    assert reason.startswith(words)


def test_every_field_is_grave_or_slight() -> None:
    grave = {
        "features",
        "features_sha256",
        "preprocessing",
        "reference_sha256",
        "reference_samples",
        "shape",
        "resize",
        "flips",
    }
    grave |= {"samples", "truncation", "condition", "metrics", "top_k", "top_p", "words", "held_out"}  # those of the test above
    assert grave | {"seed", "reference", "versions", "platform"} | {"temperature"} == set(Protocol.__struct_fields__)


def test_temperatures_make_a_curve_in_one_table() -> None:
    """The control of real data has none, and stands once."""
    (table,) = make_tables([evaluation("a", 3.0, temperature=0.7), evaluation("a", 2.0, temperature=1.0), evaluation("b")])
    assert table.headers == ["MODEL", "MEASURED", "TEMPERATURE", "SAMPLES", "FRECHET-DISTANCE"]
    assert table.rows == [
        ["a", "model", "0.7", "500", "3.000"],
        ["", "held-out real data", "-", "100", "0.00042"],
        ["a", "model", "1", "500", "2.000"],
        ["b", "model", "-", "500", "1.000"],
    ]
    assert not table.remarks
    (alike,) = make_tables([evaluation("a", temperature=0.7), evaluation("b", temperature=0.7)])
    assert "TEMPERATURE" not in alike.headers


def test_slight_differences_are_remarked() -> None:
    (table,) = make_tables([evaluation("a"), evaluation("b", seed=4, versions={"ganzoo": "1", "torch": "3"})])
    assert set(table.remarks) == {
        "seed: 3 for a, 4 for b",
        "versions: ganzoo: 1, torch: 2 for a, ganzoo: 1, torch: 3 for b",
    }


def test_another_choice_of_metrics_leaves_gaps_but_one_table() -> None:
    other = msgspec.structs.replace(
        evaluation("b", metrics={"pr": "k = 3"}), measurements=(Measurement(of="model", samples=500, figures={"recall": 0.5}),)
    )
    (table,) = make_tables([evaluation("a"), other])
    assert table.headers[3:] == ["FRECHET-DISTANCE", "RECALL"]
    assert table.rows[0][3:] == ["1.000", "-"] and table.rows[-1][3:] == ["-", "0.500"]


def test_three_ways_make_three_tables() -> None:
    names = [[e.name for e in t.evaluations] for t in make_tables([
        evaluation("a"), evaluation("b", samples=7), evaluation("c"), evaluation("d", samples=8), evaluation("e", samples=7)
    ])]  # fmt: skip
    assert names == [["a", "c"], ["b", "e"], ["d"]]


def test_the_lines_of_a_card_are_read_back_as_metrics() -> None:
    text = card_metrics(evaluation("a", 12.345678), 'ganzoo evaluate "a" --data ünder')
    read = msgspec.convert(tomllib.loads(text)["metrics"], tuple[spec.Metric, ...])
    model, held_out = read
    assert model.figures == {"frechet-distance": 12.3457} and (model.samples, model.seed) == (500, 3)
    assert held_out.figures == {"frechet-distance": 0.00042} and held_out.seed is None and held_out.of == "held-out real data"
    assert model.source == "measured" and model.protocol == held_out.protocol
    for word in ("features digits (111111111111; not Inception", "mnist-5k/train (222222222222", 'evaluate "a" --data ünder'):
        assert word in model.protocol


def test_two_that_have_no_metric_in_common_let_no_third_in_that_one_of_them_disagrees_with() -> None:
    new = {"metrics": {"fid": "another"}}
    tables = make_tables([evaluation("a", metrics={"kid": "k"}), evaluation("b"), evaluation("c", **new)])
    assert [[e.name for e in table.evaluations] for table in tables] == [["a", "b"], ["c"]]
    assert tables[1].apart == ("metrics: fid: another instead of fid: Fréchet",)


def test_two_states_of_one_model_are_told_apart() -> None:
    later = msgspec.structs.replace(evaluation("a", 2.0), weights_sha256="4" * 64)
    (table,) = make_tables([evaluation("a"), later, evaluation("b")])
    assert [row[0] for row in table.rows] == [f"a ({'3' * 12})", "", f"a ({'4' * 12})", "b"]


def test_a_command_that_is_not_known_is_left_out_of_the_card() -> None:
    (first, _) = tomllib.loads(card_metrics(evaluation("a")))["metrics"]
    assert first["protocol"].endswith("ganzoo 1, torch 2, Linux")
