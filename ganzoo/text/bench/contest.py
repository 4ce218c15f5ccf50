"""Trains a model and its controls on the text of an oracle, each in a run directory of its own, and reports on them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ganzoo.building import build
from ganzoo.checkpoint import read_model
from ganzoo.data import TextDataset
from ganzoo.errors import ConfigError, DataError, OutputError
from ganzoo.spec import Architecture, Role, TextRecipe
from ganzoo.text.bench.report import TEMPERATURES, Controls, Report, make_report
from ganzoo.text.bench.stages import Stages, stages
from ganzoo.text.generators import SequenceGenerator
from ganzoo.text.oracle import LSTMOracle, Tempered, Yardstick
from ganzoo.training import NetworkClasses, Options, Reporter, RunDirectory, Weights, describe, resume, train
from ganzoo.training.methods import method_of
from ganzoo.training.run_directory import CONFIG

BEST = "best held-out NLL"


class Interrupted(Exception):  # noqa: N818  no error
    """Ctrl-C while a part was trained; the same call goes on from there."""


@dataclass(frozen=True)
class Contest:
    """What is to be compared, and how it is trained.

    Attributes:
        architecture: Of the model.
        networks: Its classes.
        recipe: Its training: a phase of maximum likelihood, and what comes after.
        train: The oracle's sentences to train on, with their validation set.
        test: Held-out sentences of the same oracle.
        out: A run directory for each part goes into this folder.
        plugin: Who brings the architecture.
        distribution: What to install for that plugin.
        config: Constructor arguments by role.
        seed: Of everything random in training.
        device: Where to train.
        source: How the data were named.
    """

    architecture: Architecture
    networks: NetworkClasses
    recipe: TextRecipe
    train: TextDataset
    test: TextDataset
    out: Path
    plugin: str
    distribution: str = "ganzoo-hub"
    config: Mapping[Role, Mapping[str, Any]] = field(default_factory=dict)
    seed: int = 0
    device: str = "cpu"
    source: str | None = None


def hold(
    contest: Contest,
    *,
    temperatures: Sequence[float] = TEMPERATURES,
    samples: int = 10_000,
    reporter: Reporter | None = None,
    progress: Callable[[str], object] = lambda name: None,
) -> Report:
    """Trains what is not trained yet, and measures.

    Args:
        contest: See there.
        temperatures: Of the baseline, see `make_report`.
        samples: Sentences drawn of each.
        reporter: Told how training goes.
        progress: Told the name of each row before it is measured, and of each part before it is trained.

    Raises:
        DataError: data that come from no oracle.
        ConfigError: a recipe that is no common start and something after it, or a folder with runs of something else.
        InvalidValueError: a generator that cannot be measured.
        OutputError, TrainingError: see `ganzoo.training.train`.
        Interrupted: by Ctrl-C.
    """
    oracle, held_out = _oracle(contest.test)
    name = contest.architecture.id
    parts = stages(contest.recipe, name)
    _check(contest, parts)
    _make_folder(contest.out)

    def part(run: str, recipe: TextRecipe, start: SequenceGenerator | None = None) -> SequenceGenerator:
        progress(f"training: {run}")
        return _trained(contest, contest.out / run, recipe, start, reporter)

    mle = part("mle", parts.mle)
    start = mle if parts.start is None else part("start", parts.start)
    models = {name: part("model", parts.model, start)}
    if start is not mle:
        models[f"start of {name}"] = start
    controls = Controls(mle, part("constant", parts.constant, start), BEST)
    yardstick = Yardstick(oracle, held_out)
    how: dict[str, Any] = {"temperatures": temperatures, "samples": samples, "seed": contest.seed, "progress": progress}
    return make_report(yardstick, models, controls, oracle=oracle.name, **how)


def _oracle(data: TextDataset) -> tuple[LSTMOracle, Any]:
    if not isinstance(data.density, LSTMOracle) or data.ids is None:
        raise DataError(
            f"{data.name} comes from no oracle, so the probability of its sentences is not known.",
            hint="Use text-oracle, text-oracle-small, or the file of an oracle.",
        )
    return data.density, data.ids


def _check(contest: Contest, parts: Stages) -> None:
    """Builds every part that is to be trained: what cannot be trained or measured shows before the first, not hours later."""
    named = {"mle": parts.mle, "start": parts.start, "model": parts.model, "constant": parts.constant}
    wanted = {contest.out / run: recipe for run, recipe in named.items() if recipe is not None}
    begun = [folder for folder in wanted if (folder / CONFIG).exists()]
    for folder in begun:
        _check_same(contest, folder, wanted[folder])
    _check_measurable(contest)
    options = Options(seed=contest.seed, device=contest.device)
    for folder in (folder for folder in wanted if folder not in begun):
        how: dict[str, Any] = {"recipe": wanted[folder], "config": contest.config, "options": options}
        describe(contest.architecture, contest.networks, contest.train, folder, **how)


def _check_measurable(contest: Contest) -> None:
    """Refuses a generator whose sentences have no known probability."""
    method = method_of(contest.recipe)
    arguments = method.arguments(contest.networks, contest.config, contest.train, contest.recipe)
    generator = method.build(contest.networks, arguments, contest.seed).generator
    assert isinstance(generator, SequenceGenerator)  # `build` saw to it
    Tempered(generator)


def _make_folder(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as e:
        raise OutputError(f"{out} cannot be made: {e.strerror or e}.") from e


def _trained(
    contest: Contest, folder: Path, recipe: TextRecipe, start: SequenceGenerator | None, reporter: Reporter | None
) -> SequenceGenerator:
    """The generator of one part: from a run that is finished, that goes on, or that begins."""
    if (folder / CONFIG).exists():
        _check_same(contest, folder, recipe)
        model = RunDirectory(folder).model
        found = model if model.is_dir() else resume(folder, contest.networks, contest.train, reporter=reporter).model
    else:
        weights: Weights = {} if start is None else {"generator": start.state_dict()}
        options = Options(
            seed=contest.seed,
            device=contest.device,
            source=contest.source,
            start=weights,
            started_from=None if start is None else "an earlier part of this benchmark",
        )
        found = train(
            contest.architecture,
            contest.networks,
            contest.train,
            folder,
            recipe=recipe,
            config=contest.config,
            options=options,
            plugin=contest.plugin,
            distribution=contest.distribution,
            reporter=reporter,
        ).model
    if found is None:
        raise Interrupted
    return _generator(contest, found)


def _check_same(contest: Contest, folder: Path, recipe: TextRecipe) -> None:
    run = RunDirectory(folder).config()
    here = (contest.architecture.id, contest.seed, contest.train.sha256, recipe)
    there = (run.architecture, run.seed, run.data.sha256, run.recipe)
    names = ("architecture", "seed", "data", "recipe")
    other = [name for name, a, b in zip(names, here, there, strict=True) if a != b]
    for role, given in contest.config.items():
        had = run.config.get(role, {})
        other += [f"{role}.{name}" for name, value in given.items() if had.get(name) != value]
    if other:
        raise ConfigError(
            f"{folder} is a run of another benchmark: it differs in {', '.join(other)}.", hint="Choose another folder."
        )


def _generator(contest: Contest, model: Path) -> SequenceGenerator:
    stored = read_model(model)
    found = build(contest.networks["generator"], stored.config.arguments("generator") or {}, stored.state("generator"))
    assert isinstance(found, SequenceGenerator)  # else it could not have been trained
    return found
