import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor

from ganzoo.data import ImageFolder, TensorDataset, TensorExamples, VectorDataset
from ganzoo.errors import DataError, InvalidValueError, PluginError, UnknownNameError
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
    with pytest.raises(DataError, match="bright-1 has 1 example; an evaluation needs at least 2 samples"):
        evaluate_generator(trained(), bright(1, 1), Brightness(), samples=20)
    space = Brightness()
    with pytest.raises(DataError, match="bright-2 has 1 example"):
        evaluate_generator(trained(), bright(9, 1), space, held_out=bright(1, 2), samples=20)
    assert not space.seen  # told before the work
    with pytest.raises(InvalidValueError, match="no neighbour number 3"):
        evaluate_generator(trained(), bright(3, 1), Brightness(), samples=20)


def test_a_model_that_diverged_is_named() -> None:
    with pytest.raises(DataError, match="Linear makes values that are not finite; the first sample .* the seed 7"):
        evaluate_generator(diverged(), points(20), Raw(), samples=20, seed=7)
    with pytest.raises(DataError, match="Flat makes values that are not finite"):  # as 8 bits they would be black
        evaluate_generator(trained(float("nan")), bright(20, 1), Brightness(), samples=20)


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
    broken = Metric("broken", "x", lambda sets: {"strange": float("nan")})
    with pytest.raises(DataError, match=r"strange \(nan\) of the model is no number"):
        evaluate_generator(trained(), bright(9, 1), Brightness(), metrics=[broken], samples=9)
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
    generator.name_classes(["ant", "bee", "cat", "dog"])
    generator.asked.clear()
    evaluate_generator(generator, bright(40, 1), Brightness(), samples=20, condition="dog", controls=False)
    assert set(generator.asked) == {3}
    with pytest.raises(UnknownNameError, match="'dig'"):
        evaluate_generator(generator, bright(40, 1), Brightness(), condition="dig")
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


@pytest.mark.parametrize("truncation", [0.0, -1.0, float("nan"), float("inf")])
def test_a_truncation_that_is_none(truncation: float) -> None:
    with pytest.raises(InvalidValueError, match="truncation must be a number above 0"):
        evaluate_generator(trained(), bright(9, 1), Brightness(), samples=9, truncation=truncation)


def test_the_reference_is_not_held_out() -> None:
    with pytest.raises(InvalidValueError, match="The held-out data bright-1 are the reference"):
        evaluate_generator(trained(), bright(9, 1), Brightness(), held_out=bright(9, 1), samples=9)


@pytest.mark.parametrize("given", [None, [1], {"a": "b"}, {"a": torch.ones(3)}, {1: 2.0}, {"My figure": 2.0}])
def test_a_metric_that_gives_no_figures(given: object) -> None:
    metric = Metric("mine", "x", lambda sets: given)  # type: ignore[arg-type,return-value]  # as a plugin may
    with pytest.raises(PluginError, match="The metric 'mine' gives .*, and not figures by name"):
        evaluate_generator(trained(), bright(9, 1), Brightness(), metrics=[metric], samples=9)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda batch: None, "a NoneType, not a ganzoo.metrics.FeatureBatch"),
        (lambda batch: batch.features, "a Tensor, not"),
        (lambda batch: FeatureBatch(batch.features[:, 0]), r"the features torch.float32 \[9\] on cpu for 9 examples"),
        (lambda batch: FeatureBatch(batch.features[:1], batch.scores), r"torch.float32 \[1, 2\] on cpu for 9 examples"),
        (lambda batch: FeatureBatch(batch.features.long(), batch.scores), "the features torch.int64"),
        (lambda batch: FeatureBatch(batch.features, batch.scores[:, :1]), r"the scores torch.float32 \[9, 1\]"),
        (lambda batch: FeatureBatch(batch.features), "the scores None"),
    ],
)
def test_a_feature_space_that_gives_no_features(change: Callable[[FeatureBatch], FeatureBatch], words: str) -> None:
    class Wrong(Brightness):
        def __call__(self, images: Tensor) -> FeatureBatch:
            return change(super().__call__(images))

    with pytest.raises(PluginError, match=f"The feature space 'brightness' gives (.* )?{words}"):
        evaluate_generator(trained(), bright(9, 1), Wrong(), samples=9)


@pytest.mark.parametrize(("what", "part"), [("features", 0), ("scores", 1)])
def test_features_and_scores_that_are_not_finite(what: str, part: int) -> None:
    class Broken(Brightness):
        def __call__(self, images: Tensor) -> FeatureBatch:
            found = super().__call__(images)
            (found.features, found.scores)[part][0, 0] = float("nan")  # type: ignore[index]  # it has scores
            return found

    with pytest.raises(DataError, match=f"gives {what} that are not finite"):
        evaluate_generator(trained(), bright(9, 1), Broken(), samples=9)


@pytest.mark.parametrize("examples", [torch.zeros(9, 1, 5, 4), torch.zeros(9, 1, 4, 4, dtype=torch.int32)])
def test_a_data_set_that_gives_something_else(examples: Tensor) -> None:
    class Wrong(TensorDataset):
        def prepare(self, shape: tuple[int, ...]) -> TensorExamples:
            return TensorExamples(examples)

    data = Wrong(torch.zeros(9, 1, 6, 6, dtype=torch.uint8), "wrong")
    with pytest.raises(PluginError, match=r"The data set wrong gives torch.* of the shape \[1, 4, 4\]"):
        evaluate_generator(trained(), data, Brightness(), samples=9)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Six pictures of two classes; a third class has a broken one only."""
    for i in range(6):
        folder = tmp_path / f"photos/{i % 2}"
        folder.mkdir(parents=True, exist_ok=True)
        Image.new("L", (4, 4), 40 * i).save(folder / f"{i}.png")
    (tmp_path / "photos" / "2").mkdir()
    (tmp_path / "photos" / "2" / "broken.png").write_bytes(b"broken")
    return tmp_path / "photos"


def test_pictures_that_are_broken_change_nothing_the_second_time(photos: Path) -> None:
    found, asked, seen = [], [], []
    for _ in range(3):
        space, generator = Brightness(), Labelled()
        found.append(evaluate_generator(generator, ImageFolder(photos), space, samples=30, controls=False))
        asked.append(generator.asked)
        seen.append(space.seen)
    assert found[0] == found[1] == found[2] and found[0].protocol.reference_samples == 6
    assert seen == [6 + 30, 30, 30]  # the features of the reference were computed once
    assert asked[0] == asked[1] and set(asked[0]) == {0, 1}  # nobody draws a class that has no picture


def test_an_evaluator_draws_the_same_classes_each_time(photos: Path) -> None:
    generator = Labelled()
    measure = evaluator(Brightness(), ImageFolder(photos), builtin_metrics("fid"), samples=40)
    assert measure(generator) == measure(generator)
    assert generator.asked[:40] == generator.asked[40:]
