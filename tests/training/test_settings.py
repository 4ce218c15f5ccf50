from pathlib import Path
from typing import Any

import pytest

from ganzoo.errors import ConfigError, UnknownNameError
from ganzoo.spec import Augmentation, Optimizer, Phase, Recipe, Regularizer, Schedule, TextRecipe
from ganzoo.training import Intervals, apply_settings, read_settings
from ganzoo.training.adversarial import AdversarialMethod


def test_dotted_keys_lists_and_whole_numbers() -> None:
    settings = ["generator.lr=1e-4", "images=1e5", "discriminator.betas=0, 0.99", "constraints=spectral-norm", "loss = hinge"]
    assert apply_settings(Recipe(), settings) == Recipe(
        loss="hinge",
        images=100_000,
        generator=Optimizer(lr=1e-4),
        discriminator=Optimizer(betas=(0.0, 0.99)),
        constraints=("spectral-norm",),
    )


def test_lists_can_be_json_or_empty() -> None:
    assert apply_settings(Recipe(), ["generator.betas=[0.1, 0.9]"]).generator.betas == (0.1, 0.9)
    assert apply_settings(Recipe(constraints=("spectral-norm",)), ["constraints="]).constraints == ()


def test_nothing_changes_without_settings_and_the_recipe_is_left_alone() -> None:
    recipe = Recipe(batch_size=7)
    assert apply_settings(recipe, []) == recipe
    apply_settings(recipe, ["batch_size=8"])
    assert recipe.batch_size == 7


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("batch_size", "not of the form key=value"),
        ("=3", "not of the form key=value"),
        ("batchsize=3", "Did you mean 'batch_size'"),
        ("generator.learning_rate=1", "no recipe field named 'generator.learning_rate'"),
        ("generator.l=1", "generator.lr"),
        ("generator=3", "fields of its own"),
        ("loss.x=3", "no recipe field"),
        ("batch_size=0", "batch_size=0 cannot be used"),
        ("batch_size=2.5", "batch_size=2.5 cannot be used"),
        ("batch_size=many", "batch_size=many cannot be used"),
        ("generator.lr=-1", "generator.lr"),
        ("generator.lr=NaN", "generator.lr"),
        ("generator.lr=Infinity", "generator.lr"),
        ("images=1e999", "images"),
        ("discriminator.betas=0.5", "discriminator.betas"),
        ("loss=hings", "Did you mean 'hinge'"),
        ("augment.pipeline=transltion", "translation"),
    ],
)
def test_what_cannot_be_used_is_named(setting: str, message: str) -> None:
    with pytest.raises((ConfigError, UnknownNameError), match=message):
        apply_settings(Recipe(), [setting])


def test_label_smoothing_needs_a_loss_with_labels() -> None:
    with pytest.raises(ConfigError, match="'hinge' has no labels"):
        apply_settings(Recipe(), ["loss=hinge", "label_smoothing=0.1"])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["regularizers.r1.options.gamma=1"], "no option of the regulariser 'r1' named 'gamma'"),
        (["regularizers.wgan-gp.options.target=wide"], "target"),
        (["regularizers.consistency.options.transform=recipe"], "needs an augmentation"),
        (["regularizers.r1.weight=-1"], r"regularizers\.r1\.weight must be at least 0"),
        (["regularizers.r1.every=0"], "every"),
        (["regularizers=r1,r3"], "no regulariser named 'r3'"),
        (["constraints=spectral"], "no constraint named 'spectral'"),
        (["augment.target=0.6"], "needs an augmentation"),
        (["augment.pipeline=flip", "augment.target=0.6", "loss=wasserstein"], "sign of a score means nothing"),
        (["augment.pipeline=flip", "augment.p=1.5"], r"augment\.p must be in \[0, 1\]"),
        (["augment.pipeline.flip=2"], "augment.pipeline.flip=2 cannot be used"),
        (["top_k=0"], "top_k must be in"),
        (["top_k=0.5", "loss=relativistic-pairing"], "compares pairs"),
        (['generator.lr={"start": 1e-3, "end": -1e-4}'], r"generator\.lr must be at least 0, not -0\.0001"),
        (["generator.lr=0"], r"generator\.lr must be above 0, not 0\."),
        (["generator.lr.end=1e-5"], r"'generator\.lr' is a number and has no fields\.\nA schedule is written whole"),
        (['generator.lr={"start": 1e-3}'], "generator.lr"),
        (['generator.lr={"start": 1e-3, "end": 1e-4, "until": 5, "begin": 9}'], "must come after"),
        (["generator.betas=[0.5, 1.0]"], r"generator\.betas\[1\] must be in \[0, 1\)"),
        (["precision=half"], r"Invalid enum value 'half'; it is one of bfloat16, float16, float32 \(precision\)"),
        (["on_nan=ignore"], "it is one of rollback, stop"),
        (['generator.lr={"start": 1, "end": 0, "shape": "sine"}'], r"one of cosine, linear, step \(generator\.lr\.shape\)"),
        (["batch_size=many"], r"batch_size=many cannot be used: Expected a whole number, got text \(batch_size\)\."),
        (["generator.lr=fast"], "Expected a number or a table of fields, got text"),
        (["regularizers.r1=5"], r"'regularizers\.r1' has fields of its own\.\nFor example: --set regularizers\.r1\.weight=1"),
        (["regularizers.r1.weigth=5"], r"Did you mean 'regularizers\.r1\.weight'"),
    ],
)
def test_what_contradicts_or_is_out_of_range_is_told(settings: list[str], message: str) -> None:
    with pytest.raises((ConfigError, UnknownNameError), match=message):
        apply_settings(Recipe(), settings)


def test_names_of_parts_are_added_replaced_and_taken_out() -> None:
    recipe = apply_settings(Recipe(), ["regularizers=r1,r2", "regularizers.r1.weight=3", "regularizers.lecam.every=4"])
    assert recipe.regularizers == {"r1": Regularizer(weight=3), "r2": Regularizer(), "lecam": Regularizer(every=4)}
    fewer = apply_settings(recipe, ["regularizers.r1=null", "regularizers.lecam=null"])
    assert fewer.regularizers == {"r2": Regularizer()}
    assert apply_settings(recipe, ["regularizers="]).regularizers == {}
    augmented = apply_settings(Recipe(), ["augment.pipeline=flip,color", "augment.pipeline.color=0.5"])
    assert augmented.augment.pipeline == {"flip": 1.0, "color": 0.5}


def test_schedules_are_json_or_toml() -> None:
    schedule = Schedule(start=2e-4, end=5e-5, shape="linear")
    text = 'generator.lr={"start": 2e-4, "end": 5e-5, "shape": "linear"}'
    assert apply_settings(Recipe(), [text]).generator.lr == schedule
    table = {"generator": {"lr": {"start": 2e-4, "end": 5e-5, "shape": "linear"}}, "regularizers": {"r1": {"weight": 2}}}
    recipe = apply_settings(Recipe(), ["generator.eps=1e-6"], table)
    assert recipe.generator == Optimizer(lr=schedule, eps=1e-6) and recipe.regularizers == {"r1": Regularizer(weight=2)}


def test_a_learning_rate_may_end_at_zero() -> None:
    recipe = apply_settings(Recipe(), ['generator.lr={"start": 1e-3, "end": 0, "shape": "linear"}'])
    assert recipe.generator.lr == Schedule(start=1e-3, end=0.0, shape="linear")
    assert apply_settings(recipe, ["generator.lr.end=1e-5"]).generator.lr == Schedule(start=1e-3, end=1e-5, shape="linear")


TOML = """
[recipe]
loss = "hinge"
images = 1e5
generator = {lr = {start = 2e-4, end = 0.0, shape = "linear"}, betas = [0.0, 0.9]}

[recipe.regularizers]
r1 = {weight = 0.1, every = 16}
lecam = {}

[recipe.augment]
pipeline = ["translation", "cutout"]

[config]
width = 32

[intervals]
samples = 5000
"""


def test_a_recipe_in_toml(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_text(TOML)
    tables = read_settings(tmp_path / "x.toml", ["recipe", "config", "intervals"])
    assert (tables["config"], tables["intervals"]) == ({"width": 32}, {"samples": 5000})
    base = Recipe(regularizers={"r2": Regularizer()}, generator=Optimizer(eps=1e-6))
    assert apply_settings(base, ["regularizers.lecam.weight=0.2"], tables["recipe"]) == Recipe(
        loss="hinge",
        images=100_000,
        generator=Optimizer(lr=Schedule(start=2e-4, end=0.0, shape="linear"), betas=(0.0, 0.9), eps=1e-6),
        regularizers={"r1": Regularizer(weight=0.1, every=16), "lecam": Regularizer(weight=0.2)},
        augment=Augmentation(pipeline={"translation": 1.0, "cutout": 1.0}),
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[recipes]", r"no table in .*x\.toml named 'recipes'\.\nDid you mean 'recipe'\?"),
        ("recipe = 3", "'recipe' in .*x.toml is not a table"),
        ("[recipe", "not valid TOML"),
        ("[recipe]\nbatchsize = 3", "Did you mean 'batch_size'"),
        ("[recipe.generator]\nlearning_rate = 3", "no recipe field named 'generator.learning_rate'"),
        ('[recipe]\nbatch_size = "3"', r"Expected a whole number, got text \(batch_size\)"),
        ("[recipe]\nimages = 1.5", r"Expected a whole number, got a number \(images\)"),
        ("[recipe]\nregularizers = 5", "no regulariser named '5'"),
        ('[recipe]\nregularizers = "r1,r3"', "no regulariser named 'r3'"),
        ("[recipe.generator]\nlr = {start = 1e-3}", "missing required field end"),
        (
            "[recipe.regularizers.r1]\nweigth = 5",
            r"named 'regularizers\.r1\.weigth'\.\nDid you mean 'regularizers\.r1\.weight'",
        ),
        ("[recipe.regularizers.r1.options]\ngamma = 5", "no option of the regulariser 'r1'"),
    ],
)
def test_toml_that_cannot_be_used_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "x.toml").write_text(text)
    with pytest.raises((ConfigError, UnknownNameError), match=message):
        apply_settings(Recipe(), [], read_settings(tmp_path / "x.toml", ["recipe", "config"]).get("recipe"))


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"missing\.toml cannot be read: No such file"):
        read_settings(tmp_path / "missing.toml", [])
    (tmp_path / "x.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="not valid TOML"):
        read_settings(tmp_path / "x.toml", [])


def test_intervals() -> None:
    recipe = Recipe(batch_size=10, discriminator_steps=2, images=1000)
    size = AdversarialMethod().size(recipe)
    assert size == (1000, 20)
    assert Intervals.of(*size) == Intervals(log=20, samples=100, checkpoint=100, evaluate=100)
    assert Intervals.of(*size, {"log": 1e3, "samples": 7}) == Intervals(log=1000, samples=7, checkpoint=100, evaluate=100)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sample": 5}, "no interval named 'sample'.\nDid you mean 'samples'"),
        ({"log": 0}, r"An interval cannot be used: Expected a whole number >= 1 \(log\)"),
        ({"log": "often"}, r"Expected a whole number, got text \(log\)"),
        ({"log": 1.5}, "Intervals are whole numbers of examples"),
    ],
)
def test_intervals_that_cannot_be_used_are_named(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Intervals.of(1_000_000, 64, changes)


def test_options_of_phases_are_added_replaced_and_taken_out() -> None:
    options = {"reward": "rollout", "reward_options": {"rollouts": 4}, "generator": {"lr": 1e-3}}
    recipe = TextRecipe(phases={"adversarial": Phase(kind="policy-gradient", steps=1, options=options)})

    def changed(*settings: str) -> dict[str, Any]:
        return apply_settings(recipe, [f"phases.adversarial.options.{each}" for each in settings]).phases["adversarial"].options

    assert changed("reward=sentence", "reward_options.rollouts=null", "generator.lr=2e-3") == {
        "reward": "sentence",
        "reward_options": {},
        "generator": {"lr": 2e-3},
    }
    assert changed("reward=constant", "reward_options=null", "generator=null") == {"reward": "constant"}
    assert changed("discriminator.lr=1e-4")["discriminator"] == {"lr": 1e-4}  # a table that was not there
    assert changed("reward_options.positions=5")["reward_options"] == {"rollouts": 4, "positions": 5}
    with pytest.raises(ConfigError, match="has fields of its own"):
        changed("reward_options=4")
    with pytest.raises(ConfigError, match=r"The reward 'sentence' cannot be used: .*rollouts"):
        changed("reward=sentence")
