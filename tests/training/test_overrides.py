import pytest

from ganzoo.errors import ConfigError
from ganzoo.spec import Optimizer, Recipe
from ganzoo.training import apply_overrides


def test_dotted_keys_lists_and_whole_numbers() -> None:
    settings = ["generator.lr=1e-4", "images=1e5", "discriminator.betas=0, 0.99", "augment=translation,cutout", "loss = hinge"]
    assert apply_overrides(Recipe(), settings) == Recipe(
        loss="hinge",
        images=100_000,
        generator=Optimizer(lr=1e-4),
        discriminator=Optimizer(betas=(0.0, 0.99)),
        augment=("translation", "cutout"),
    )


def test_lists_can_be_json_or_empty() -> None:
    assert apply_overrides(Recipe(), ["generator.betas=[0.1, 0.9]"]).generator.betas == (0.1, 0.9)
    assert apply_overrides(Recipe(augment=("color",)), ["augment="]).augment == ()


def test_nothing_changes_without_settings_and_the_recipe_is_left_alone() -> None:
    recipe = Recipe(batch_size=7)
    assert apply_overrides(recipe, []) == recipe
    apply_overrides(recipe, ["batch_size=8"])
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
        ("augment=shift", "Known: color, cutout, translation"),
    ],
)
def test_what_cannot_be_used_is_named(setting: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        apply_overrides(Recipe(), [setting])


def test_label_smoothing_needs_a_loss_with_labels() -> None:
    with pytest.raises(ConfigError, match="'hinge' has no labels"):
        apply_overrides(Recipe(), ["loss=hinge", "label_smoothing=0.1"])
