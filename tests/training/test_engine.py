from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec
import pytest
import torch
from torch import Tensor

from ganzoo.data import TensorExamples
from ganzoo.errors import ConfigError, TrainingError
from ganzoo.models import Judgement
from ganzoo.spec import Augmentation, Optimizer, Recipe, Regularizer, Schedule
from ganzoo.training import Engine, Progress
from tests.training.toy import RECIPE, PlainToyDiscriminator, PlainToyGenerator, ToyDiscriminator, ToyGenerator


class Spying(ToyDiscriminator):
    """Remembers what it was shown."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[Tensor] = []

    def forward(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        self.shown.append(x.detach().clone())
        return super().forward(x, c)


def engine(recipe: Recipe, discriminator: ToyDiscriminator | None = None, low: int = 0, high: int = 256) -> Engine:
    torch.manual_seed(0)
    pixels = torch.randint(low, high, (16, 1, 8, 8), dtype=torch.uint8)
    return Engine(ToyGenerator(), discriminator or ToyDiscriminator(), TensorExamples(pixels), recipe, seed=1)


def plain(**changes: Any) -> Recipe:
    quiet = msgspec.structs.replace(RECIPE, regularizers={}, augment=Augmentation(), label_smoothing=0.0, discriminator_steps=1)
    return msgspec.structs.replace(quiet, **changes)


def test_real_images_are_shown_from_minus_one_to_one() -> None:
    spy = Spying()
    pixels = torch.tensor([0, 51, 255], dtype=torch.uint8).repeat(64)[: 2 * 64].view(2, 1, 8, 8)
    Engine(ToyGenerator(), spy, TensorExamples(pixels), plain(), seed=0).step()
    assert spy.shown[0].unique().tolist() == pytest.approx([-1.0, -0.6, 1.0], abs=1e-6)


def test_a_step_updates_the_discriminator_as_often_as_the_recipe_says() -> None:
    spy = Spying()
    progress = engine(plain(discriminator_steps=3), spy).step()
    assert len(spy.shown) == 3 * 2 + 1  # real and generated each time, then the generator's turn
    assert progress.images == 12


def test_both_sides_of_the_game_see_augmented_images() -> None:
    spy = Spying()
    engine(plain(augment=Augmentation(pipeline={"cutout": 1.0})), spy).step()
    for shown in spy.shown:  # real, generated, and generated in the generator's turn
        assert bool(((shown == 0).sum((1, 2, 3)) >= 4).all())


def test_each_turn_changes_its_own_network_alone() -> None:
    played = engine(plain(generator=Optimizer(lr=1e-2)))
    before = {name: {k: v.clone() for k, v in network.named_parameters()} for name, network in played.networks().items()}
    batch = played._real_batch()
    played._update_discriminator(*batch)
    assert _changed(before["discriminator"], played.discriminator) and not _changed(before["generator"], played.generator)
    frozen = {k: v.clone() for k, v in played.discriminator.named_parameters()}
    played._update_generator(*batch)
    assert _changed(before["generator"], played.generator) and not _changed(frozen, played.discriminator)
    assert all(p.requires_grad for p in played.discriminator.parameters())


def _changed(before: dict[str, Tensor], network: torch.nn.Module) -> bool:
    return any(not torch.equal(before[name], p) for name, p in network.named_parameters())


@pytest.mark.parametrize(
    "changes",
    [
        {"regularizers": {"r1": Regularizer(weight=5.0)}},
        {"label_smoothing": 0.3},
        {"loss": "least-squares"},
        {"augment": Augmentation(pipeline={"color": 1.0})},
        {"instance_noise": 1.0},
        {"constraints": ("weight-clipping",)},
    ],
)
def test_every_part_of_the_recipe_reaches_the_game(changes: dict[str, Any]) -> None:
    assert engine(plain(**changes)).step().figures["d_loss"] != pytest.approx(
        engine(plain()).step().figures["d_loss"], rel=1e-4
    )


def test_the_generator_learns_where_the_data_is() -> None:
    """White data, a generator that begins at grey: after a few hundred steps it makes white pictures."""
    played = engine(plain(batch_size=16, ema_images=100, generator=Optimizer(lr=5e-3)), low=255)
    dull = float(played.average.generator.sample(32, seed=0).tensor.mean())
    for _ in range(300):
        played.step()
    assert abs(dull) < 0.3 and float(played.average.generator.sample(32, seed=0).tensor.mean()) > 0.9


@pytest.mark.parametrize("spoilt", ["discriminator", "generator"])
def test_a_loss_that_is_not_finite_updates_nothing(spoilt: str) -> None:
    played = engine(plain())
    poison: Callable[[Any, Any, Any], Tensor] = lambda module, inputs, output: output * float("nan")  # noqa: E731
    getattr(played, spoilt).register_forward_hook(poison)
    before = [p.clone() for p in played.discriminator.parameters()]
    with pytest.raises(TrainingError, match="loss became nan"):
        played.step()
    assert all(torch.equal(a, b) for a, b in zip(before, played.discriminator.parameters(), strict=True))


# --- regularisers -----------------------------------------------------------------------------------------------------


class Slope(ToyDiscriminator):
    """D(x) = w * sum(x), so that its gradient is w at each of the 64 pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.body = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 1, bias=False))
        torch.nn.init.constant_(self.body[1].weight, 0.5)


def slopes(steps: int, **how: Any) -> list[float]:
    """w after each step of gradient descent on R1 alone: the adversarial part is far out of reach of its margin."""
    recipe = plain(
        loss="hinge",
        regularizers={"r1": Regularizer(**how)},
        discriminator=Optimizer(name="sgd", lr=0.001, betas=(0.0, 0.0)),
        images=10_000,
    )
    played = engine(recipe, Slope())
    saturated = lambda real, fake, smoothing: (real.sum() + fake.sum()) * 0  # noqa: E731
    played._loss = replace(played._loss, discriminator=saturated)
    weight = dict(played.discriminator.named_parameters())["body.1.weight"].detach()
    found = []
    for _ in range(steps):
        played.step()
        assert float(weight.max() - weight.min()) < 1e-6
        found.append(float(weight.mean()))
    return found


def test_r1_pulls_the_slope_down_as_its_formula_says() -> None:
    """The penalty is gamma/2 * 64 w^2; each of the 64 weights descends gamma * w."""
    gamma = 3.0
    assert slopes(2, weight=gamma) == pytest.approx([0.5 * (1 - 0.001 * gamma), 0.5 * (1 - 0.001 * gamma) ** 2], rel=1e-5)


def test_a_lazy_regulariser_acts_at_every_so_many_updates_times_that_number() -> None:
    """At updates 0 and 4, four times as strong, with steps of 4/5 of the rate since there are 5/4 steps an update."""
    gamma = 3.0
    once = 1 - 0.001 * 4 / 5 * 4 * gamma
    assert slopes(6, weight=gamma, every=4) == pytest.approx([0.5 * once] * 4 + [0.5 * once**2] * 2, rel=1e-5)


def test_weights_follow_their_schedule() -> None:
    weight = Schedule(start=3.0, end=1.0, until=8, shape="linear")
    found = slopes(3, weight=weight)  # four images a step: 3, 2 and 1
    assert found == pytest.approx([0.5 * 0.997, 0.5 * 0.997 * 0.998, 0.5 * 0.997 * 0.998 * 0.999], rel=1e-5)


def test_penalties_are_logged_before_their_weight() -> None:
    progress = engine(plain(regularizers={"r1": Regularizer(weight=1e-6)}), Slope()).step()
    assert progress.figures["r1"] == pytest.approx(0.5 * 64 * 0.25, rel=1e-4)


def test_inputs_require_a_gradient_only_where_a_regulariser_needs_it() -> None:
    wanted: list[bool] = []

    class Asking(ToyDiscriminator):
        def forward(self, x: Tensor, c: Tensor | None = None) -> Tensor:
            wanted.append(x.requires_grad and x.grad_fn is None)
            return super().forward(x, c)

    engine(plain(), Asking()).step()
    assert wanted == [False, False, False]
    wanted.clear()
    engine(plain(regularizers={"r1": Regularizer()}), Asking()).step()
    assert wanted == [True, False, False]


# --- classes ----------------------------------------------------------------------------------------------------------


class ClassGenerator(ToyGenerator):
    def __init__(self) -> None:
        super().__init__()
        self.num_classes = 3
        self.seen: list[Tensor] = []

    def forward(self, z: Tensor, c: Tensor) -> Tensor:  # type: ignore[override]
        self.seen.append(c)
        return super().forward(z)


class ClassDiscriminator(ToyDiscriminator):
    """Tells classes apart from the mean of the picture, too."""

    def __init__(self) -> None:
        super().__init__()
        self.num_classes = 3
        self.classifier = torch.nn.Linear(64, 3)
        self.seen: list[Tensor | None] = []

    def judge(self, x: Tensor, c: Tensor | None = None) -> Judgement:
        self.seen.append(c)
        return Judgement(self(x), self.classifier(x.flatten(1)))


def conditional(labels: Tensor | None, recipe: Recipe | None = None) -> Engine:
    pixels = torch.randint(0, 256, (12, 1, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    examples = TensorExamples(pixels)
    return Engine(ClassGenerator(), ClassDiscriminator(), examples, recipe or plain(batch_size=12), seed=1, labels=labels)


def test_classes_go_with_their_examples_and_generated_ones_have_those_of_the_real_ones_they_are_compared_with() -> None:
    labels = torch.tensor([0] * 9 + [2] * 3)
    played = conditional(labels, plain(batch_size=12, accumulate=2, loss="relativistic-pairing"))
    played.step()
    halves = [played.discriminator.seen[i : i + 2] for i in (0, 2)]  # type: ignore[attr-defined]
    assert all(torch.equal(real, fake) for real, fake in halves)
    whole = torch.cat([real for real, _ in halves]).tolist()
    assert sorted(whole) == labels.tolist() and whole != labels.tolist()
    made = [c.tolist() for c in played.generator.seen]  # type: ignore[attr-defined]
    assert made == [whole[:6], whole[6:]] * 2


def test_what_a_generator_without_classes_makes_is_classified_by_nobody() -> None:
    pixels = torch.randint(0, 256, (12, 1, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    judge = ClassDiscriminator()
    Engine(ToyGenerator(), judge, TensorExamples(pixels), plain(batch_size=12), seed=1, labels=torch.arange(12) % 3).step()
    real, *generated = judge.seen
    assert real is not None and generated == [None, None]


def test_the_class_loss_is_part_of_both_sides() -> None:
    labels = torch.arange(12) % 3
    light, heavy = (conditional(labels, plain(batch_size=12, classifier_weight=w)).step() for w in (0.0, 1.0))
    # Untrained, each of the three classes has about a third: the real and the generated batch cost log 3 each.
    assert heavy.figures["d_loss"] - light.figures["d_loss"] == pytest.approx(2 * 1.0986, abs=0.5)
    assert heavy.figures["g_loss"] - light.figures["g_loss"] == pytest.approx(1.0986, abs=0.5)


@pytest.mark.parametrize(
    ("labels", "message"), [(None, "has no labels"), (torch.arange(12) % 4, "3 classes, but the data has 4")]
)
def test_classes_must_fit_the_data(labels: Tensor | None, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        conditional(labels)


# --- the rest of the recipe -------------------------------------------------------------------------------------------


def test_frozen_layers_stay_as_they_are_and_stay_frozen() -> None:
    played = engine(plain(freeze_layers=1))
    first, last = (m for m in played.discriminator.modules() if isinstance(m, torch.nn.Linear))
    before = first.weight.clone(), last.weight.clone()
    played.step()
    played.step()
    assert torch.equal(before[0], first.weight) and not torch.equal(before[1], last.weight)
    assert not first.weight.requires_grad and last.weight.requires_grad
    with pytest.raises(ConfigError, match="freeze_layers is 2, but this discriminator has 2 layers"):
        engine(plain(freeze_layers=2))


def test_only_the_best_generated_samples_train_the_generator() -> None:
    played = engine(plain(batch_size=8, top_k=0.25))
    kept: list[Tensor] = []
    own = played._loss.generator
    played._loss = replace(played._loss, generator=lambda fake, real: (kept.append(fake), own(fake, real))[1])
    played.step()
    assert kept[0].shape == (2,)


def test_constrained_weights_leave_the_engine_plain() -> None:
    played = engine(plain(constraints=("spectral-norm",)))
    played.step()
    plainly = ToyDiscriminator()
    plainly.load_state_dict(played.model_states()["discriminator"])
    x = torch.randn(4, 1, 8, 8)
    assert torch.allclose(plainly.eval()(x), played.discriminator.eval()(x), atol=1e-6)
    largest = [
        float(torch.linalg.matrix_norm(m.weight.detach(), 2)) for m in plainly.modules() if isinstance(m, torch.nn.Linear)
    ]
    assert max(largest) < 1.5  # one power iteration after a random start is near 1


@pytest.mark.parametrize("changes", [{"precision": "bfloat16"}, {"channels_last": True}])
def test_other_arithmetic_plays_nearly_the_same_game(changes: dict[str, Any]) -> None:
    recipe = plain(regularizers={"r1": Regularizer(weight=0.1)})
    one, (two, dtypes) = _third_step(recipe)[0], _third_step(msgspec.structs.replace(recipe, **changes))
    assert one.figures["d_loss"] == pytest.approx(two.figures["d_loss"], abs=0.02)
    assert dtypes == {torch.float32}


def _third_step(recipe: Recipe) -> tuple[Progress, set[torch.dtype]]:
    played = engine(recipe)
    torch.manual_seed(5)  # dropout and the toy's noise draw from the global state
    played.step()
    played.step()
    return played.step(), {p.dtype for p in played.generator.parameters()}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf")  # torch's own, which it hides itself
@pytest.mark.parametrize("name", [None, "r1", "wgan-gp", "dragan", "zero-centred-gp", "path-length", "spectral"])
def test_compiled_networks_play_the_same_game(name: str | None) -> None:
    recipe = plain(regularizers={name: Regularizer(weight=0.1)} if name else {})
    same, other = (_plain_game(msgspec.structs.replace(recipe, compile=compiled)) for compiled in (False, True))
    for _ in range(2):
        one, two = same.step(), other.step()
        assert two.figures["d_loss"] == pytest.approx(one.figures["d_loss"], abs=1e-5)
        assert two.figures["g_loss"] == pytest.approx(one.figures["g_loss"], abs=1e-5)


def _plain_game(recipe: Recipe) -> Engine:
    torch.manual_seed(0)
    pixels = torch.randint(0, 256, (16, 1, 8, 8), dtype=torch.uint8)
    return Engine(PlainToyGenerator(), PlainToyDiscriminator(), TensorExamples(pixels), recipe, seed=1)


@pytest.mark.parametrize(
    ("names", "compiled"),
    [
        ([], {"generator", "discriminator"}),
        (["lecam", "mode-seeking"], {"generator", "discriminator"}),
        (["wgan-gp"], {"generator"}),
        (["r1", "path-length"], set()),
    ],
)
def test_what_is_differentiated_twice_is_not_compiled(
    names: list[str], compiled: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[torch.nn.Module] = []
    monkeypatch.setattr(torch.nn.Module, "compile", lambda self: asked.append(self))
    played = engine(plain(compile=True, regularizers={name: Regularizer() for name in names}))
    assert {role for role, network in played.networks().items() if any(network is module for module in asked)} == compiled


def test_losses_are_taken_in_single_precision_of_networks_that_compute_in_half() -> None:
    """Logits near 100 are half a unit apart in bfloat16; a mean of eight of them is not."""
    seen: list[Tensor] = []

    class Rough(ToyDiscriminator):
        def forward(self, x: Tensor, c: Tensor | None = None) -> Tensor:
            seen.append(x)
            return super().forward(x) + 100

    played = engine(plain(precision="bfloat16", batch_size=8, loss="wasserstein", regularizers={"r2": Regularizer()}), Rough())
    taken: list[Tensor] = []
    own = played._loss.discriminator
    keep = lambda real, fake, smoothing: (taken.extend([real, fake]), own(real, fake, smoothing))[1]  # noqa: E731
    played._loss = replace(played._loss, discriminator=keep)
    progress = played.step()
    assert {t.dtype for t in (*taken, *seen)} == {torch.float32}
    assert progress.figures["d_real"] == pytest.approx(float(taken[0].detach().double().mean()), abs=1e-5)


def test_a_lazy_regulariser_of_real_examples_generates_nothing() -> None:
    made: list[int] = []
    played = engine(plain(regularizers={"r1": Regularizer(every=2)}))
    played.generator.register_forward_hook(lambda *_: made.append(1))
    played.step()
    assert len(made) == 2  # for the discriminator's loss and for the generator's


def test_lazy_regularisers_that_are_due_together_share_a_step() -> None:
    """Of six updates, 0, 2, 3 and 4 have a second step: five thirds each. What weighs nothing takes none."""
    uses = {"r1": Regularizer(every=2), "r2": Regularizer(every=3), "lecam": Regularizer(every=3)}
    quiet = {**uses, "spectral": Regularizer(weight=0.0, every=5)}
    for regularizers in (uses, quiet):
        played = engine(plain(regularizers=regularizers, discriminator=Optimizer(lr=1e-2, betas=(0.5, 0.9))))
        played.step()
        (group,) = played.players["discriminator"].optimizer.param_groups
        assert group["lr"] == pytest.approx(1e-2 * 3 / 5)
        assert group["betas"] == pytest.approx((0.5 ** (3 / 5), 0.9 ** (3 / 5)))


def test_adaptive_augmentation_follows_the_scores() -> None:
    """A discriminator that calls every real picture real drives p up by batch * every / images at each adjustment."""

    class Sure(ToyDiscriminator):
        def forward(self, x: Tensor, c: Tensor | None = None) -> Tensor:
            return super().forward(x, c) * 0 + 1

    augment = Augmentation(pipeline={"flip": 1.0}, p=0.0, target=0.6, images=100, every=2)
    played = engine(plain(augment=augment), Sure())
    assert [round(played.step().figures["augment_p"], 6) for _ in range(5)] == [0.0, 0.08, 0.08, 0.16, 0.16]
