"""From a recipe to a report: what is trained, that it goes on after a stop, and what is refused."""

import json
import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner
from PIL import Image

from ganzoo import resources
from ganzoo.cli.bench import command
from ganzoo.data import TextDataset
from ganzoo.errors import ConfigError, DataError, HostileFileError, InvalidValueError
from ganzoo.spec import Optimizer, Phase, TextRecipe
from ganzoo.text.bench import Contest, Interrupted, hold, stages
from ganzoo.text.generators import LSTMGenerator
from ganzoo.text.oracle import LSTMOracle, oracle_dataset
from ganzoo.tokenizers import IdTokenizer
from ganzoo.training import RunDirectory
from tests.support.interruption import StopAfter
from tests.support.packs import GOLDEN
from tests.text.training.toy import CONFIG, NETWORKS, TOY

GAME = {
    "generator": {"lr": 3e-3},
    "reward": "sentence",
    "generator_steps": 2,
    "discriminator_steps": 1,
    "baseline": "batch",
    "reduction": "sum",
    "look_every": 5,
}
RECIPE = TextRecipe(
    phases={
        "mle": Phase(steps=16, options={"every": 8}),
        "discriminator": Phase(steps=3, options={"pool": 32, "epochs": 1}),
        "adversarial": Phase(kind="policy-gradient", steps=4, options=GAME),
    },
    batch_size=32,
    generator=Optimizer(lr=2e-2, betas=(0.9, 0.999)),
)


def changed(recipe: TextRecipe, **phases: Phase | None) -> TextRecipe:
    merged = {**recipe.phases, **phases}
    return msgspec.structs.replace(recipe, phases={name: phase for name, phase in merged.items() if phase is not None})


def test_the_parts_of_a_recipe() -> None:
    parts = stages(RECIPE, "toy")
    assert parts.start is None
    assert {name: phase.steps for name, phase in parts.mle.phases.items()} == {"mle": 16}
    assert parts.mle.phases["mle"].options == {"every": 8, "keep": "best"}
    assert list(parts.model.phases) == ["discriminator", "adversarial"]
    assert parts.model.phases["adversarial"] == RECIPE.phases["adversarial"]
    (control,) = parts.constant.phases.values()
    assert (control.kind, control.steps) == ("policy-gradient", 4)
    assert control.options == {
        "generator": {"lr": 3e-3},
        "generator_steps": 2,
        "reduction": "sum",
        "look_every": 5,
        "reward": "constant",
        "baseline": "none",
        "discriminator_steps": 0,
    }
    assert all(part.batch_size == 32 for part in (parts.mle, parts.model, parts.constant))


def test_a_recipe_that_keeps_the_last_weights_has_a_start_of_its_own() -> None:
    overfit = Phase(kind="mle", steps=30, options={"keep": "last"})
    parts = stages(changed(RECIPE, mle=overfit), "toy")
    assert parts.start is not None
    assert parts.start.phases == {"mle": overfit}
    assert parts.mle.phases["mle"].options["keep"] == "best"


def test_recipes_that_cannot_be_compared() -> None:
    with pytest.raises(ConfigError, match="begins with 'discriminator'"):
        stages(changed(RECIPE, mle=None), "toy")
    with pytest.raises(ConfigError, match="'toy' is maximum likelihood alone"):
        stages(changed(RECIPE, discriminator=None, adversarial=None), "toy")
    with pytest.raises(ConfigError, match="'toy' is maximum likelihood alone"):
        stages(changed(RECIPE, adversarial=None), "toy")  # what the discriminator learns is of no use to anybody


# --- whole contests on a tiny oracle ---


@pytest.fixture(scope="module")
def oracle() -> LSTMOracle:
    return LSTMOracle.seeded(4, vocab_size=12, hidden_size=6, embedding_size=6, length=5, name="tiny")


def contest(oracle: LSTMOracle, out: Path, recipe: TextRecipe = RECIPE, **more: Any) -> Contest:
    train, test = (oracle_dataset(oracle, split=split, sentences=400) for split in ("train", "test"))
    return Contest(TOY, NETWORKS, recipe, train, test, out, "toy", config=CONFIG, **{"seed": 3, **more})


def test_a_contest_trains_the_model_and_its_controls_from_one_start(oracle: LSTMOracle, tmp_path: Path) -> None:
    told: list[str] = []
    report = hold(contest(oracle, tmp_path / "out"), samples=300, temperatures=(0.8,), progress=told.append)
    names = {row.name: row for row in report.rows}
    assert list(names)[:3] == ["toy-text", "MLE (best held-out NLL)", "MLE, T = 0.8"]
    assert told[:3] == ["training: mle", "training: model", "training: constant"]
    mle, model, constant = (names[n].measures for n in ("MLE (best held-out NLL)", "toy-text", "constant reward"))
    assert mle.nll_test.value < 2.4  # of log 12 = 2.48 for uniform words
    assert report.entropy.value < mle.nll_test.value
    assert len({m.nll_test.value for m in (mle, model, constant)}) == 3  # each was trained on
    assert constant.own_entropy.value < mle.own_entropy.value  # a constant reward sharpens
    started = RunDirectory(tmp_path / "out" / "constant").config()
    assert started.recipe.phases["adversarial"].options["reward"] == "constant"  # type: ignore[union-attr]
    assert started.started_from is not None
    assert report.oracle == "tiny"

    again = hold(contest(oracle, tmp_path / "out"), samples=300, temperatures=(0.8,))
    assert again == report  # nothing is trained a second time, and figures repeat


def test_the_last_epoch_is_a_row_where_the_model_starts_from_it(oracle: LSTMOracle, tmp_path: Path) -> None:
    recipe = changed(
        RECIPE,
        mle=Phase(steps=10, options={"keep": "last", "every": 5}),
        discriminator=None,
        adversarial=Phase(
            kind="policy-gradient", steps=1, options={"reward": "uniform", "look_every": 0, "generator": {"lr": 1e-7}}
        ),
    )
    report = hold(contest(oracle, tmp_path / "out", recipe), samples=50, temperatures=(0.8,))
    assert [row.name for row in report.rows][:2] == ["toy-text", "start of toy-text"]
    model, start = (row.measures for row in report.rows[:2])
    assert model.nll_test.value == pytest.approx(start.nll_test.value, abs=1e-3)  # it began there, and hardly moved
    assert start.nll_test.value < 2.47  # of log 12 = 2.485 for weights that nobody trained


def test_a_contest_that_was_interrupted_goes_on(oracle: LSTMOracle, tmp_path: Path) -> None:
    whole = hold(contest(oracle, tmp_path / "whole"), samples=50, temperatures=(0.8,))
    for steps in (10, 8):  # in the first part, then in the second
        with pytest.raises(Interrupted):
            hold(contest(oracle, tmp_path / "out"), reporter=StopAfter(steps))
    assert hold(contest(oracle, tmp_path / "out"), samples=50, temperatures=(0.8,)) == whole


def test_a_folder_of_another_benchmark_is_refused(oracle: LSTMOracle, tmp_path: Path) -> None:
    out = tmp_path / "out"
    hold(contest(oracle, out), samples=20, temperatures=(0.8,))
    with pytest.raises(ConfigError, match=r"differs in seed\."):
        hold(contest(oracle, out, seed=4))
    with pytest.raises(ConfigError, match="differs in recipe"):
        hold(contest(oracle, out, changed(RECIPE, mle=Phase(steps=31))))
    with pytest.raises(ConfigError, match=r"differs in generator\.hidden_size"):
        hold(altered(contest(oracle, out), config={"generator": {"hidden_size": 13}}))


def altered(given: Contest, **changes: Any) -> Contest:
    return Contest(**{**vars(given), **changes})


def test_text_from_nowhere_cannot_be_measured(oracle: LSTMOracle, tmp_path: Path) -> None:
    sentences = oracle.sample(40, seed=0)
    data = TextDataset.of_ids(sentences, "found", tokenizer=IdTokenizer(12))
    with pytest.raises(DataError, match="found comes from no oracle"):
        hold(altered(contest(oracle, tmp_path / "out"), test=data))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"reward": "per-token"}, "needs a discriminator that judges single tokens"),
        ({"discriminator": {"lr": -1}}, "discriminator.lr must be above 0"),
    ],
)
def test_what_a_later_part_refuses_is_refused_before_the_first_is_trained(
    oracle: LSTMOracle, tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    recipe = changed(RECIPE, adversarial=Phase(kind="policy-gradient", steps=4, options={**GAME, **options}))
    with pytest.raises(ConfigError, match=message):
        hold(contest(oracle, tmp_path / "out", recipe))
    assert not (tmp_path / "out").exists()


def test_a_later_part_of_another_benchmark_is_refused_before_the_first_is_trained(oracle: LSTMOracle, tmp_path: Path) -> None:
    out = tmp_path / "out"
    hold(contest(oracle, out), samples=20, temperatures=(0.8,))
    shutil.rmtree(out / "mle")
    with pytest.raises(ConfigError, match=r"model is a run of another benchmark: it differs in recipe\."):
        hold(contest(oracle, out, changed(RECIPE, adversarial=Phase(kind="policy-gradient", steps=9, options=GAME))))
    assert not (out / "mle").exists()


class Hidden(LSTMGenerator):
    """Says that it has a latent."""

    latent_size = 3


def test_a_generator_whose_sentences_have_no_known_probability_is_refused_before_it_is_trained(
    oracle: LSTMOracle, tmp_path: Path
) -> None:
    networks = {**NETWORKS, "generator": Hidden}
    with pytest.raises(InvalidValueError, match="Hidden does not draw sentences word by word alone"):
        hold(altered(contest(oracle, tmp_path / "out"), networks=networks))
    assert not (tmp_path / "out").exists()


# --- the command ---


@pytest.fixture
def toy_architecture(monkeypatch: pytest.MonkeyPatch) -> None:
    class Plugin:
        name = "toy"

        class installed:  # noqa: N801
            distribution = "ganzoo-hub"

    architecture = msgspec.structs.replace(TOY, recipe=RECIPE)
    monkeypatch.setattr(resources, "find_architecture", lambda name: (Plugin, architecture))


@pytest.fixture
def oracle_file(oracle: LSTMOracle, tmp_path: Path) -> Path:
    from safetensors.torch import save_file

    w = oracle.weights
    arrays = {"embedding": w.embedding, "Wo": w.output, "bo": w.output_bias}
    for kind, whole in (("W", w.inputs), ("U", w.recurrent), ("b", w.bias)):
        for gate, part in zip(("i", "f", "og", "c"), whole.chunk(4, dim=-1), strict=True):
            arrays[f"{kind}{gate}"] = part.contiguous()
    save_file(arrays, tmp_path / "tiny.safetensors")
    return tmp_path / "tiny.safetensors"


@pytest.mark.usefixtures("toy_architecture")
def test_the_command_writes_table_and_picture(oracle_file: Path, tmp_path: Path) -> None:
    sizes = ["--config", "generator.hidden_size=12", "--config", "discriminator.filter_sizes=[1,2]"]
    more = [
        "--config",
        "discriminator.filter_counts=[4,4]",
        "--set",
        "phases.mle.steps=4",
        "--set",
        "phases.adversarial.steps=1",
    ]
    asked = ["--model", "toy-text", "--oracle", str(oracle_file), "--out", str(tmp_path / "out"), "--samples", "40"]
    told = CliRunner().invoke(command, ["text-oracle", *asked, *sizes, *more, "--device", "cpu"])
    assert told.exit_code == 0, told.output
    for words in ("NLL_ORACLE", "toy-text", "MLE, T = 0.7", "constant reward", "tiny.safetensors", "curve.png"):
        assert words in told.stdout
    data = json.loads((tmp_path / "out" / "report.json").read_text())
    assert data["samples"] == 40
    with Image.open(tmp_path / "out" / "curve.png") as picture:
        assert picture.size == (1100, 700)


@pytest.mark.usefixtures("toy_architecture")
@pytest.mark.parametrize("name", ["small", "text-oracle-small"])
def test_the_runs_of_the_small_oracle_remember_a_name_that_can_be_opened(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Contest] = []

    def stop(contest: Contest, **_: Any) -> None:
        asked.append(contest)
        raise Interrupted

    monkeypatch.setattr("ganzoo.text.bench.hold", stop)
    CliRunner().invoke(command, ["text-oracle", "--model", "toy-text", "--oracle", name, "--out", str(tmp_path / "out")])
    assert asked[0].source == "text-oracle-small"


@pytest.mark.usefixtures("toy_architecture")
def test_the_command_refuses_a_hostile_oracle(tmp_path: Path) -> None:
    asked = ["--model", "toy-text", "--oracle", str(GOLDEN / "malicious.pkl"), "--out", str(tmp_path / "out")]
    error = CliRunner().invoke(command, ["text-oracle", *asked]).exception
    assert isinstance(error, HostileFileError)
    assert not (tmp_path / "out").exists()


def test_the_command_refuses_a_model_of_pictures(tmp_path: Path) -> None:
    error = CliRunner().invoke(command, ["text-oracle", "--model", "dcgan", "--out", str(tmp_path / "out")]).exception
    assert isinstance(error, ConfigError)
    assert "'dcgan' makes image, and this is a benchmark of text" in str(error)


@pytest.mark.usefixtures("toy_architecture")
def test_the_command_refuses_data_that_are_no_text(tmp_path: Path) -> None:
    asked = ["--model", "toy-text", "--oracle", "gaussians-8", "--out", str(tmp_path / "out")]
    error = CliRunner().invoke(command, ["text-oracle", *asked]).exception
    assert isinstance(error, DataError)
    assert "'gaussians-8' is no text" in str(error)
    assert not (tmp_path / "out").exists()
