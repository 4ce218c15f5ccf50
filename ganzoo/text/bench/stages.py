"""How the training of a model and of its controls follows from the model's recipe."""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from ganzoo.errors import ConfigError
from ganzoo.spec import Json, Phase, TextRecipe

_MLE, _GAME = "mle", "policy-gradient"
_KEPT = ("generator", "generator_steps", "reduction", "mle_every", "look_every")  # of the game, by the control


@dataclass(frozen=True)
class Stages:
    """Recipes of the parts of a benchmark.

    Attributes:
        mle: Maximum likelihood, ending with the weights that are best on held-out sentences.
        start: Maximum likelihood as the model's recipe has it; None where that is `mle`.
        model: What comes after it.
        constant: As many steps of the generator from the same start, with the reward 1 for everything and no discriminator.
    """

    mle: TextRecipe
    start: TextRecipe | None
    model: TextRecipe
    constant: TextRecipe


def stages(recipe: TextRecipe, model: str) -> Stages:
    """The parts of benchmarking the architecture ``model`` with ``recipe``.

    Raises:
        ConfigError: the recipe does not begin with maximum likelihood, or nothing after it trains the generator.
    """
    first, *others = recipe.phases
    rest = {name: recipe.phases[name] for name in others}
    if _kind(first, recipe.phases[first]) != _MLE:
        raise ConfigError(
            f"The recipe of '{model}' begins with '{first}' and not with maximum likelihood, so there is no common start.",
            hint="The benchmark compares what comes after a phase of kind 'mle' with that phase alone.",
        )
    controls = _controls(rest)
    if not controls:
        raise ConfigError(
            f"The recipe of '{model}' is maximum likelihood alone, which is the benchmark's baseline.",
            hint="Name a model with an adversarial phase.",
        )
    own = {first: recipe.phases[first]}
    best = {first: _with_options(recipe.phases[first], keep="best")}
    return Stages(
        mle=_with_phases(recipe, best),
        start=None if _keeps_best(recipe.phases[first]) else _with_phases(recipe, own),
        model=_with_phases(recipe, rest),
        constant=_with_phases(recipe, controls),
    )


def _controls(rest: Mapping[str, Phase]) -> dict[str, Phase]:
    """The phases that train the generator, each with a constant reward."""
    found = {}
    for name, phase in rest.items():
        kind = _kind(name, phase)
        if kind == "discriminator":
            continue
        kept: dict[str, Json] = {key: phase.options[key] for key in _KEPT if kind == _GAME and key in phase.options}
        options = {**kept, "reward": "constant", "baseline": "none", "discriminator_steps": 0}
        found[name] = phase if kind == _MLE else Phase(kind=_GAME, steps=phase.steps, options=options)
    return found


def _kind(name: str, phase: Phase) -> str:
    return phase.kind or name


def _keeps_best(phase: Phase) -> bool:
    return bool(phase.options.get("keep", "best") == "best")


def _with_options(phase: Phase, **options: Json) -> Phase:
    return msgspec.structs.replace(phase, options={**phase.options, **options})


def _with_phases(recipe: TextRecipe, phases: Mapping[str, Phase]) -> TextRecipe:
    return msgspec.structs.replace(recipe, phases=dict(phases))
