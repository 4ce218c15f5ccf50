import json
from collections.abc import Mapping, Sequence

import pytest
import torch
from torch import Tensor

from ganzoo.data import VectorDataset
from ganzoo.errors import DataError, InvalidValueError
from ganzoo.metrics import Evaluation, FeatureBatch, Metric, Sets, builtin_metrics, evaluate_generator, evaluator, needs_classes
from ganzoo.metrics.spaces.plain import Raw
from ganzoo.models.seeds import sample_seeds
from tests.metrics.toys import Brightness, Flat, Labelled, Linear, bright, diverged, trained


def test_a_good_generator_is_told_from_its_controls() -> None:
    result = evaluate_generator(trained(), bright(600, 1), Brightness(), held_out=bright(300, 2), samples=700, seed=3)
    assert [(m.of, m.samples) for m in result.measurements] == [
        ("model", 700),
        ("model", 300),
        ("held-out real data", 300),
        ("random initialisation", 700),
    ]
    model, model_300, held_out, random = result.measurements
    assert model.figures["frechet-distance"] < 0.01 and held_out.figures["frechet-distance"] < 0.01
    assert random.figures["frechet-distance"] > 0.2  # the shift alone is 0.25
    assert model_300.figures != model.figures
    assert model.votes["bright"] > 0.95 and random.votes["bright"] < 0.7
    assert sum(random.votes.values()) == pytest.approx(1.0)
    assert held_out.data.startswith("bright-2 (") and model.data == ""
    assert result.model is model


def test_the_protocol_says_what_is_needed_to_repeat_it() -> None:
    reference = bright(50, 1)
    found = evaluate_generator(trained(), reference, Brightness(), samples=20, seed=9, truncation=0.8, controls=False)
    protocol = found.protocol
    assert (protocol.reference, protocol.reference_samples, protocol.seed, protocol.samples) == ("bright-1", 50, 9, 20)
    assert protocol.reference_sha256 == reference.sha256 and protocol.features_sha256 == "0" * 64
    assert (protocol.shape, protocol.truncation, protocol.condition) == ((1, 4, 4), 0.8, "unconditional")
    assert protocol.preprocessing == "mean of the pixels" and "antialiasing" in protocol.resize and not protocol.flips
    assert {"ganzoo", "torch"} <= protocol.versions.keys() and set(protocol.metrics) == {"fid", "pr"}
    for word in ("4x4x1", "bright-1", "20 samples of seed 9", "truncation 0.8", "not Inception", "mean of the pixels"):
        assert word in str(protocol)


def test_the_same_seed_gives_the_same_figures_as_plain_json() -> None:
    first, second = (evaluate_generator(trained(), bright(50, 1), Brightness(), samples=30, seed=s) for s in (4, 4))
    assert first == second and json.loads(json.dumps(first.to_json())) == json.loads(json.dumps(second.to_json()))
    other = evaluate_generator(trained(), bright(50, 1), Brightness(), samples=30, seed=5)
    assert other.model.figures != first.model.figures
    assert other.weights_sha256 == first.weights_sha256
    changed = evaluate_generator(trained(0.4), bright(50, 1), Brightness(), samples=30, seed=4)
    assert changed.weights_sha256 != first.weights_sha256


def test_truncation_reaches_the_latents() -> None:
    spread = Metric("spread", "standard deviation", lambda sets: {"spread": float(sets.generated.features[:, 0].std())})
    figures = [
        evaluate_generator(trained(), bright(9, 1), Brightness(), metrics=[spread], truncation=t, controls=False).model.figures
        for t in (None, 0.5)
    ]
    assert figures[0]["spread"] == pytest.approx(0.2, rel=0.05)
    assert figures[1]["spread"] == pytest.approx(0.2 * 0.5 * 3**-0.5, rel=0.1)  # nearly uniform in [-0.5, 0.5]


def test_the_samples_are_those_of_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    original = Flat.latents

    def spy(self: Flat, seeds: Sequence[int], *, truncation: float | None = None) -> Tensor:
        asked.extend(seeds)
        return original(self, seeds, truncation=truncation)

    monkeypatch.setattr(Flat, "latents", spy)
    evaluate_generator(trained(), bright(20, 1), Brightness(), samples=600, seed=7, controls=False)
    assert asked == sample_seeds(600, 7)


def test_progress_counts_every_example() -> None:
    for _ in range(2):  # the second time, the features of the reference come from the cache
        seen: list[int] = []
        evaluate_generator(trained(), bright(20, 1), Brightness(), held_out=bright(10, 2), samples=300, progress=seen.append)
        assert sum(seen) == 20 + 300 + 10 + 300


@pytest.mark.parametrize("samples", [0, 1, -5])
def test_too_few_samples_are_refused(samples: int) -> None:
    with pytest.raises(InvalidValueError):
        evaluate_generator(trained(), bright(20, 1), Brightness(), samples=samples)


def test_one_picture_or_fewer_than_neighbours_cannot_be_compared() -> None:
    with pytest.raises(DataError, match="at least 2 samples"):
        evaluate_generator(trained(), bright(1, 1), Brightness(), samples=20)
    with pytest.raises(InvalidValueError, match="no neighbour number 3"):
        evaluate_generator(trained(), bright(3, 1), Brightness(), samples=20)


def test_a_model_that_diverged_is_named() -> None:
    with pytest.raises(DataError, match="'raw' gives values that are not finite"):
        evaluate_generator(diverged(), points(20), Raw(), samples=20)


def test_a_metric_that_needs_classes_is_refused_before_the_work() -> None:
    @needs_classes
    def classes(sets: Sets) -> Mapping[str, float]:
        raise AssertionError("this must not be reached")

    metric = Metric("mine", "x", classes)
    with pytest.raises(InvalidValueError, match="'mine' needs class scores, and the feature space 'raw' has no classifier"):
        evaluate_generator(Linear(), points(20), Raw(), metrics=[metric])
    with pytest.raises(InvalidValueError, match="needs class scores"):
        evaluator(Raw(), points(20), builtin_metrics("modes"))

    unmarked = Metric("other", "x", lambda sets: {"n": float(len(sets.scores[0]))})
    with pytest.raises(InvalidValueError, match="needs class scores"):
        evaluate_generator(Linear(), points(20), Raw(), metrics=[unmarked], samples=5)


def test_figures_that_are_no_numbers_and_names_given_twice() -> None:
    nan = Metric("nan", "x", lambda sets: {"strange": float("nan")})
    with pytest.raises(DataError, match="strange of the model came out as no number"):
        evaluate_generator(trained(), bright(9, 1), Brightness(), metrics=[nan], samples=9)
    one = Metric("one", "x", lambda sets: {"n": 1.0})
    with pytest.raises(InvalidValueError, match="a figure 'n'"):
        evaluate_generator(trained(), bright(9, 1), Brightness(), metrics=[one, one], samples=9)


# --- points and plugin metrics ----------------------------------------------------------------------------------------


def points(count: int, seed: int = 0) -> VectorDataset:
    drawn = torch.randn(count, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return VectorDataset((drawn @ Linear().matrix.T).float(), f"points-{seed}")


def test_points_are_measured_as_they_are_and_a_metric_sees_them_and_the_data() -> None:
    seen: list[Sets] = []

    def inside(sets: Sets) -> Mapping[str, float]:
        seen.append(sets)
        made = torch.cat(list(sets.examples))
        assert torch.equal(made, torch.cat(list(sets.examples)))  # made again, the same
        assert torch.equal(made, sets.generated.features)
        return {"within-one": float((made.norm(dim=1) < 1).double().mean())}

    data = points(4000)
    metrics = (*builtin_metrics("fid"), Metric("mine", "share within 1", inside))
    found = evaluate_generator(Linear(), data, Raw(), held_out=points(3000, 1), samples=4000, seed=2, metrics=metrics)
    assert found.protocol.shape == (2,) and found.protocol.resize == "none"
    assert found.model.figures["frechet-distance"] < 0.02
    made = Linear().sample(4000, seed=2).tensor
    assert found.model.figures["within-one"] == float((made.norm(dim=1) < 1).double().mean())
    assert all(sets.data is data for sets in seen)
    assert [None if s.sampling is None else s.sampling.count for s in seen] == [4000, 3000, None, 4000]
    assert torch.equal(seen[1].generated.features, made[:3000])


def test_images_and_points_do_not_mix() -> None:
    with pytest.raises(InvalidValueError, match=r"Flat makes images; points-0 has vectors"):
        evaluate_generator(trained(), points(9), Brightness())


# --- conditional generators -------------------------------------------------------------------------------------------


def test_classes_are_drawn_as_the_reference_has_them() -> None:
    labels = torch.tensor([0] * 10 + [3] * 30)
    generator = Labelled()
    found = evaluate_generator(generator, bright(40, 1, labels), Brightness(), samples=2000, controls=False)
    assert found.protocol.condition == "classes drawn as in the reference"
    assert set(generator.asked) == {0, 3}
    assert generator.asked.count(3) / 2000 == pytest.approx(0.75, abs=0.03)  # three standard deviations
    again = Labelled()
    evaluate_generator(again, bright(40, 1, labels), Brightness(), samples=2000, controls=False)
    assert again.asked == generator.asked
    assert "classes drawn as in the reference" in str(found.protocol)


@pytest.mark.parametrize("labels", [None, torch.full((40,), 4)])
def test_classes_are_drawn_uniformly_where_the_reference_cannot_tell(labels: Tensor | None) -> None:
    generator = Labelled()
    found = evaluate_generator(generator, bright(40, 1, labels), Brightness(), samples=2000, controls=False)
    assert found.protocol.condition == "classes drawn uniformly"
    for c in range(4):
        assert generator.asked.count(c) / 2000 == pytest.approx(0.25, abs=0.03)


def test_one_class_alone() -> None:
    generator = Labelled()
    found = evaluate_generator(generator, bright(40, 1), Brightness(), samples=20, condition=2, controls=False)
    assert set(generator.asked) == {2} and found.protocol.condition == "class 2 only"
    with pytest.raises(InvalidValueError, match="Labelled has the classes 0 to 3; it cannot make class 4"):
        evaluate_generator(generator, bright(40, 1), Brightness(), condition=4)
    with pytest.raises(InvalidValueError, match="Flat is unconditional; it cannot make class 0"):
        evaluate_generator(trained(), bright(40, 1), Brightness(), condition=0)


# --- while training ---------------------------------------------------------------------------------------------------


def test_an_evaluator_measures_what_an_evaluation_does_and_keeps_the_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    computed: list[int] = []
    original = FeatureBatch.once

    def spy(self: FeatureBatch, name, compute):  # type: ignore[no-untyped-def]
        return original(self, name, lambda rows: (computed.append(len(rows)), compute(rows))[1])

    monkeypatch.setattr(FeatureBatch, "once", spy)
    space, reference = Brightness(), bright(60, 1)
    measure = evaluator(space, reference, builtin_metrics("fid", "pr"), samples=50, seed=4)
    assert space.seen == 0
    figures = [measure(trained(shift)) for shift in (0.5, 0.1, 0.5)]
    assert space.seen == 60 + 3 * 50
    assert computed.count(60) == 2  # moments and radii of the reference, once each
    assert figures[0] == figures[2] != figures[1]
    expected: Evaluation = evaluate_generator(trained(), reference, Brightness(), samples=50, seed=4, controls=False)
    assert figures[0] == expected.model.figures


def test_an_evaluator_leaves_the_mode_of_the_network_alone() -> None:
    generator = trained().train()
    evaluator(Brightness(), bright(20, 1), samples=10)(generator)
    assert generator.training
