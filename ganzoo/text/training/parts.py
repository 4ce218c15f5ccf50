"""Phases and rewards by name: those of ganzoo and those that plugins bring."""

from typing import Any

from ganzoo.errors import PluginError
from ganzoo.plugin_host import host, resolve_target
from ganzoo.spec import Part
from ganzoo.text.training.phase import TextPhase
from ganzoo.text.training.rewards import Reward

_HERE = "ganzoo.text.training"

PHASES: tuple[Part, ...] = (
    Part(
        id="mle",
        summary="maximum likelihood with teacher forcing, with early stopping by held-out sentences",
        target=f"{_HERE}.mle:MLE",
    ),
    Part(
        id="discriminator",
        summary="the discriminator alone, on real and generated sentences",
        target=f"{_HERE}.judging:DiscriminatorPhase",
    ),
    Part(
        id="policy-gradient",
        summary="the generator by REINFORCE on rewards, the discriminator between (Yu et al. 2017)",
        target=f"{_HERE}.policy_gradient:PolicyGradient",
    ),
)

REWARDS: tuple[Part, ...] = (
    Part(
        id="rollout",
        summary="mean score of completions from each token on (Yu et al. 2017)",
        target=f"{_HERE}.rewards.builtin:RolloutReward",
    ),
    Part(
        id="sentence",
        summary="the score of the whole sentence for each token (Williams 1992)",
        target=f"{_HERE}.rewards.builtin:SentenceReward",
    ),
    Part(
        id="per-token",
        summary="discounted sum of the scores from each token on (Fedus et al. 2018)",
        target=f"{_HERE}.rewards.builtin:PerTokenReward",
    ),
    Part(
        id="constant",
        summary="a control: the same for everything, without a discriminator",
        target=f"{_HERE}.rewards.builtin:ConstantReward",
    ),
    Part(
        id="uniform",
        summary="a control: a random number for each sentence",
        target=f"{_HERE}.rewards.builtin:UniformReward",
    ),
)


def find_phase(name: str) -> type[TextPhase[Any]]:
    """The phase that a recipe calls ``name``.

    Raises:
        UnknownNameError: there is none; carries the closest names.
        AmbiguousNameError, MissingExtraError, PluginError: as for every part.
    """
    found: type[TextPhase[Any]] = _checked(host().parts("ganzoo_phases", "phase", PHASES).find(name), TextPhase)
    return found


def find_reward(name: str) -> type[Reward[Any]]:
    """The reward that a recipe calls ``name``.

    Raises:
        UnknownNameError: there is none; carries the closest names.
        AmbiguousNameError, MissingExtraError, PluginError: as for every part.
    """
    found: type[Reward[Any]] = _checked(host().parts("ganzoo_rewards", "reward", REWARDS).find(name), Reward)
    return found


def _checked(part: Part, base: type) -> Any:
    found = resolve_target(part)
    if not (isinstance(found, type) and issubclass(found, base)):
        raise PluginError(f"'{part.id}' names '{part.target}', which is no class derived from {base.__name__}.")
    return found
