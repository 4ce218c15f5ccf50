"""Whole runs: what they leave behind, that they survive, and what they refuse."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch
from torch import Tensor, nn

from ganzoo.building import build, load_state
from ganzoo.checkpoint import read_model
from ganzoo.data import TextDataset
from ganzoo.data.splits import hash_share
from ganzoo.errors import ConfigError, DataError
from ganzoo.spec import Phase, TextRecipe
from ganzoo.text.discriminators import TextDiscriminator
from ganzoo.text.generators import LSTMGenerator
from ganzoo.text.training.method import TextMethod
from ganzoo.tokenizers import IdTokenizer, WordTokenizer
from ganzoo.training import Options, Run, RunDirectory, Silent, describe, resume, train
from ganzoo.training.methods import Networks
from ganzoo.training.processes import Processes
from tests.support.interruption import StopAfter
from tests.text.training.toy import CONFIG, LINES, NETWORKS, RECIPE, TOY, toy_text
from tests.training.toy import toy_data


def run_toy(out: Path, recipe: TextRecipe = RECIPE, data: Any = None, **more: Any) -> Run:
    how = {"config": CONFIG, "options": Options(seed=1, intervals={"checkpoint": 16, "samples": 100}), **more}
    return train(TOY, NETWORKS, toy_text() if data is None else data, out, recipe=recipe, plugin="toy", **how)


def generator_of(run: Run) -> LSTMGenerator:
    assert run.model is not None
    stored = read_model(run.model)
    config = stored.config.arguments("generator")
    assert config is not None
    return build(LSTMGenerator, config, stored.state("generator"))


def test_a_run_leaves_a_model_that_writes_and_continues_sentences(tmp_path: Path) -> None:
    run = run_toy(tmp_path / "run")
    generator = generator_of(run)
    samples = generator.sample(5, seed=0)
    known = {*" ".join(LINES).split(), "<unk>"}
    assert len(samples.text) == 5 and all(set(text.split()) <= known for text in samples.text)
    assert all(text.startswith("the bird") for text in generator.sample(3, seed=0, prompt="the bird").text)
    assert (generator.vocab_size, generator.max_length, generator.end_token) == (generator.tokenizer.size, 8, 2)
    grid = (tmp_path / "run" / "samples" / f"{run.images:09}.txt").read_text().splitlines()
    assert len(grid) == 64
    lines = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert [line["phase"] for line in lines if "held_out_nll" in line] == ["mle"] * 3 + ["adversarial"] * 3
    assert {"reward", "d_loss", "d_real", "d_fake", "g_loss"} <= lines[-1].keys()
    assert RunDirectory(tmp_path / "run").config().recipe == RECIPE


@pytest.mark.parametrize("recipe", [RECIPE, msgspec.structs.replace(RECIPE, ema_images=30.0)])
def test_a_run_that_was_interrupted_anywhere_ends_with_the_same_bits(tmp_path: Path, recipe: TextRecipe) -> None:
    whole = run_toy(tmp_path / "whole", recipe)
    assert whole.model is not None
    wanted = {file.name: file.read_bytes() for file in whole.model.iterdir()}
    for steps in range(1, 13):
        run = run_toy(tmp_path / str(steps), recipe, reporter=StopAfter(steps))
        assert run.model is None
        run = resume(tmp_path / str(steps), NETWORKS, toy_text())
        assert run.model is not None
        assert {file.name: file.read_bytes() for file in run.model.iterdir()} == wanted, steps


# The first look at the held-out sentences stays the best one, so that its weights are those that count.
HOT = msgspec.structs.replace(RECIPE, generator=msgspec.structs.replace(RECIPE.generator, lr=2.0))


def fresh(recipe: TextRecipe) -> Any:
    method, data = TextMethod(), toy_text()
    built = method.build(NETWORKS, method.arguments(NETWORKS, CONFIG, data, recipe), 0)
    method.endow(built, data, recipe)
    material = method.examples(built, data, recipe, Processes(), Silent())
    return method.game(built, material, data, recipe, seed=0, processes=Processes())


def played(recipe: TextRecipe, saved_after: int, forget: str | None) -> dict[str, Tensor]:
    """The weights at the end of a game that was saved and restored once; a part of the state may be lost on the way."""
    torch.manual_seed(5)
    first = fresh(recipe)
    for _ in range(saved_after):
        first.step()
    state = first.state()
    networks = {name: {k: t.clone() for k, t in n.state_dict().items()} for name, n in first.networks().items()}
    torch.manual_seed(99)  # as another process would have it
    second = fresh(recipe)
    for name, network in second.networks().items():
        load_state(network, networks[name], assign=False)
    if forget is not None:
        inner, blank = state, {**second.state(), "inner": second._open(state["phase"]).state()}
        *outer, last = forget.split("/")
        for part in outer:
            inner, blank = inner[part], blank[part]
        inner[last] = blank[last]
    second.restore(state)
    while second.images < second.total:
        second.step()
    return {f"{k}.{n}": t.clone() for k, network in second.networks().items() for n, t in network.state_dict().items()}


def same(one: dict[str, Tensor], two: dict[str, Tensor]) -> bool:
    return all(torch.equal(one[name], two[name]) for name in one)


@pytest.mark.parametrize(
    ("recipe", "steps", "part"),
    [
        (RECIPE, 3, "ground/sampler"),
        (RECIPE, 3, "rng"),
        (RECIPE, 3, "inner/players/generator"),
        (HOT, 3, "inner/kept"),
        (HOT, 3, "inner/best"),
        (RECIPE, 8, "ground/rng"),
        (RECIPE, 8, "inner/pool"),
        (RECIPE, 8, "inner/players/discriminator"),
        (RECIPE, 11, "inner/players/generator"),
        (RECIPE, 11, "inner/players/discriminator"),
        (RECIPE, 11, "inner/baseline"),
    ],
)
def test_every_part_of_the_state_counts(recipe: TextRecipe, steps: int, part: str) -> None:
    whole = played(recipe, 0, None)
    assert same(played(recipe, steps, None), whole)
    assert not same(played(recipe, steps, part), whole)


def test_a_run_begins_with_the_weights_and_the_vocabulary_of_a_model(tmp_path: Path) -> None:
    first = generator_of(run_toy(tmp_path / "first"))
    config = {"generator": first.config, "discriminator": CONFIG["discriminator"]}
    options = Options(seed=2, start={"generator": first.state_dict()})
    recipe = msgspec.structs.replace(RECIPE, phases={"mle": Phase(steps=1)}, tokenizer=RECIPE.tokenizer)
    other = TextDataset([*LINES[:20], "the zebra sees an old cat"], "other")
    second = generator_of(run_toy(tmp_path / "second", recipe, other, config=config, options=options))
    assert second.tokenizer == first.tokenizer and "zebra" not in second.tokenizer.vocabulary
    moved = (second.head.weight - first.head.weight).abs().max()
    assert 0 < moved < 0.05


@pytest.mark.parametrize("steps", [1, 3])
def test_a_run_from_a_model_of_other_text_goes_on_with_the_vocabulary_of_the_model(tmp_path: Path, steps: int) -> None:
    first = generator_of(run_toy(tmp_path / "first"))
    config = {"generator": first.config, "discriminator": CONFIG["discriminator"]}
    data = TextDataset([*LINES, "a zebra and a tall giraffe"], "more")
    how: Any = {"config": config, "options": Options(seed=2, start={"generator": first.state_dict()})}
    whole = run_toy(tmp_path / "whole", data=data, **how)
    run_toy(tmp_path / "cut", data=data, reporter=StopAfter(steps), **how)
    again = resume(tmp_path / "cut", NETWORKS, data)
    assert whole.model is not None and again.model is not None
    assert {f.name: f.read_bytes() for f in again.model.iterdir()} == {f.name: f.read_bytes() for f in whole.model.iterdir()}


def test_what_is_held_out_has_no_part_in_the_vocabulary(tmp_path: Path) -> None:
    data = TextDataset([*LINES, *(f"the cat sees word{i}" for i in range(40))], "rare")
    known = set(generator_of(run_toy(tmp_path / "run", data=data)).tokenizer.vocabulary)
    held_out = {i for i in range(40) if hash_share(f"the cat sees word{i}") < RECIPE.validation}
    assert held_out and {i for i in range(40) if f"word{i}" not in known} == held_out


class Plain(TextDiscriminator):
    """Has no layer called ``output``."""

    def __init__(self, vocab_size: int, max_length: int, *, pad_token: int | None = None, tokenizer_bytes: int = 0) -> None:
        super().__init__(vocab_size, max_length, pad_token=pad_token, tokenizer_bytes=tokenizer_bytes)
        self.weights = nn.Embedding(vocab_size, 1)

    def features(self, x: Tensor) -> Tensor:
        mean: Tensor = self.weights(x).mean(1)
        return mean

    def score(self, features: Tensor) -> Tensor:
        return features[:, 0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"judge": "optimal"}, "only for data that know their own density"),
        ({"reward": "per-token", "reward_options": {}}, "needs a discriminator that judges single tokens"),
        ({"output_penalty": 0.5}, "has no layer `output` that output_penalty could weigh"),
    ],
)
def test_what_a_later_phase_refuses_is_refused_before_the_first_step(
    tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    last = msgspec.structs.replace(RECIPE.phases["adversarial"], options={**RECIPE.phases["adversarial"].options, **options})
    recipe = msgspec.structs.replace(RECIPE, phases={**RECIPE.phases, "adversarial": last})
    networks: Any = {**NETWORKS, "discriminator": Plain}
    config: Any = {"generator": CONFIG["generator"]}
    with pytest.raises(ConfigError, match=message):
        train(TOY, networks, toy_text(), tmp_path / "run", recipe=recipe, config=config, plugin="toy")
    with pytest.raises(ConfigError, match=message):
        describe(TOY, networks, toy_text(), tmp_path / "run", recipe=recipe, config=config)
    assert not (tmp_path / "run").exists()


class Flat:
    """A density that everything has."""

    def log_prob(self, tokens: Tensor) -> Tensor:
        return torch.full(tokens.shape, -1.0)


@pytest.mark.parametrize("dry", [False, True])
def test_data_with_tokens_of_their_own_need_a_model_of_these(tmp_path: Path, dry: bool) -> None:
    first = generator_of(run_toy(tmp_path / "first"))
    start: Any = {
        "config": {"generator": first.config, "discriminator": CONFIG["discriminator"]},
        "options": Options(start={"generator": first.state_dict()}),
    }
    judged = Phase(kind="policy-gradient", steps=1, options={"judge": "optimal", "reward": "sentence"})
    asking = msgspec.structs.replace(RECIPE, phases={"mle": Phase(steps=1), "adversarial": judged})

    def go(name: str, data: TextDataset, recipe: TextRecipe = RECIPE, how: Any = start, **more: Any) -> None:
        if dry:
            describe(TOY, NETWORKS, data, tmp_path / name, recipe=recipe, **how)
        else:
            run_toy(tmp_path / name, recipe, data, **how, **more)

    ids = torch.randint(4, 9, (60, 8), generator=torch.Generator().manual_seed(0))
    with pytest.raises(DataError, match=r"ids has sentences of 8 tokens out of Id.*; the model is made for 8 out of Word"):
        go("ids", TextDataset.of_ids(ids, "ids", tokenizer=IdTokenizer(first.vocab_size)))
    other = TextDataset(LINES, "grammar", tokenizer=WordTokenizer.of(LINES, 12), density=Flat())
    with pytest.raises(DataError, match="'adversarial' asks grammar how probable .*, but the model has another vocabulary"):
        go("judged", other, asking)
    same = TextDataset(LINES, "grammar", tokenizer=first.tokenizer, density=Flat())
    assert len({*listed(tmp_path)} - {"first"}) == 0
    go("fits", same, asking)
    go("unasked", other)  # only likelihood and a discriminator: nobody asks for the density


def listed(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def test_a_film_of_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="A film is made of pictures, and 'toy-text' makes text"):
        run_toy(tmp_path / "run", options=Options(film=True))
    with pytest.raises(ConfigError, match="A film is made of pictures"):
        describe(TOY, NETWORKS, toy_text(), tmp_path / "run", config=CONFIG, options=Options(film=True))
    assert not (tmp_path / "run").exists()


def test_resuming_with_other_text_is_refused(tmp_path: Path) -> None:
    run_toy(tmp_path / "run", reporter=StopAfter(2))
    same_size = TextDataset([*LINES[:-1], "one fish likes an old mouse"], "other")
    with pytest.raises(DataError, match="has not the content|is not the one that"):
        resume(tmp_path / "run", NETWORKS, same_size)
    with pytest.raises(DataError, match="has not the content|is not the one that"):
        resume(tmp_path / "run", NETWORKS, TextDataset(["something else"], "other"))


def test_what_the_data_decide_cannot_be_given(tmp_path: Path) -> None:
    for name in ("vocab_size", "max_length", "tokenizer_bytes"):
        config = {**CONFIG, "generator": {**CONFIG["generator"], name: 7}}
        with pytest.raises(ConfigError, match=f"'{name}' of the generator follows from the data and cannot be given"):
            run_toy(tmp_path / name, config=config)


def test_text_and_pictures_do_not_mix(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds images, but the generator makes text"):
        run_toy(tmp_path / "run", data=toy_data())


def test_a_phase_that_judges_needs_a_discriminator(tmp_path: Path) -> None:
    alone: Any = {"generator": NETWORKS["generator"]}
    with pytest.raises(ConfigError, match="'discriminator' needs a discriminator, and this architecture has none.\nTake"):
        train(TOY, alone, toy_text(), tmp_path / "run", config={"generator": CONFIG["generator"]}, plugin="toy")
    recipe = msgspec.structs.replace(RECIPE, phases={"mle": Phase(steps=2)})
    run = train(
        TOY, alone, toy_text(), tmp_path / "run", recipe=recipe, config={"generator": CONFIG["generator"]}, plugin="toy"
    )
    assert run.model is not None and not (run.model / "discriminator.safetensors").exists()


def test_data_that_come_as_ids_bring_their_own_vocabulary(tmp_path: Path) -> None:
    ids = torch.randint(0, 9, (60, 5), generator=torch.Generator().manual_seed(0))
    data = TextDataset.of_ids(ids, "ids", tokenizer=IdTokenizer(9))
    generator = generator_of(run_toy(tmp_path / "run", data=data))
    assert (generator.vocab_size, generator.max_length, generator.end_token) == (9, 5, None)
    assert generator.tokenizer == IdTokenizer(9) and len(generator.tokenizer_table) == 0


def test_a_plan_is_told_and_writes_nothing(tmp_path: Path) -> None:
    told = describe(TOY, NETWORKS, toy_text(), tmp_path / "run", config=CONFIG)
    assert (told["examples"], told["steps"], told["sentences"], told["recipe"]["kind"]) == (len(LINES), 13, 232, "text")
    assert told["generator_parameters"] > 0 and not (tmp_path / "run").exists()


def test_few_sentences_are_told(tmp_path: Path) -> None:
    notes: list[str] = []

    class Notes(Silent):
        def note(self, text: str) -> None:
            notes.append(text)

    run_toy(tmp_path / "run", msgspec.structs.replace(RECIPE, validation=0.0), TextDataset(LINES[:3], "few"), reporter=Notes())
    assert "There are 3 sentences: a batch of 8 shows some more than once." in notes


def test_networks_know_their_roles() -> None:
    built = TextMethod().build({"generator": LSTMGenerator}, {"generator": CONFIG["generator"]}, 0)
    assert isinstance(built, Networks) and list(built.by_role()) == ["generator"]
