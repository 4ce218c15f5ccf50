"""The page on training keeps up with the recipe."""

import tomllib
from pathlib import Path

import msgspec
import pytest

from ganzoo import spec
from ganzoo.training import Intervals, apply_settings

PAGE = (Path(__file__).parents[2] / "docs" / "training.md").read_text()


@pytest.mark.parametrize("kind", [spec.Recipe, spec.Optimizer, spec.Regularizer, spec.Augmentation])
def test_every_field_is_told(kind: type[msgspec.Struct]) -> None:
    table = PAGE.partition("### The fields of a recipe")[2].partition("##")[0]
    assert [name for name in kind.__struct_fields__ if f"`{name}`" not in table] == []


def test_what_may_be_a_schedule_has_a_star() -> None:
    """`ema_images`* is one; of the others a schedule is refused."""
    for name in spec.Recipe.__struct_fields__:
        try:
            msgspec.convert({name: {"start": 0.1, "end": 0.2}}, spec.Recipe)
            allowed = True
        except msgspec.ValidationError:
            allowed = False
        assert (f"`{name}`*" in PAGE) == allowed, name


def test_the_file_of_settings_can_be_used() -> None:
    tables = tomllib.loads(PAGE.partition("```toml\n")[2].partition("```")[0])
    recipe = apply_settings(spec.Recipe(), [], tables["recipe"])
    assert recipe.images == 2_000_000 and isinstance(recipe.generator.lr, spec.Schedule)
    assert Intervals.of(recipe.images, recipe.batch_size, tables["intervals"]).samples == 10_000
