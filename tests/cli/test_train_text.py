"""``ganzoo train`` of architectures that make text."""

import json
from pathlib import Path

import pytest

from ganzoo.training import RunDirectory
from tests.cli.conftest import Run, Told, listing

LINES = [
    f"{who} {does} {what}" for who in ("the cat", "a dog", "one fish") for does in ("sees", "eats") for what in ("it", "us")
]
SMALL = ["--config", "embedding_size=4", "--config", "generator.hidden_size=6", "--device", "cpu"]
LENGTH = ["--set", "tokenizer.length=6"]


@pytest.fixture
def text(here: Path) -> Path:
    """Sentences, and others with more words."""
    (here / "s.txt").write_text("".join(f"{line}\n" for line in LINES * 3))
    (here / "t.txt").write_text("".join(f"{line} and you\n" for line in LINES))
    return here / "s.txt"


def train_mle(run: Run, *more: object, data: str = "./s.txt", out: str = "m1") -> Told:
    steps = ["--set", "phases.mle.steps=2", "--set", "batch_size=8", "--set", "validation=0.2"]
    return run("train", "mle", "--data", data, "--out", out, *steps, *more)


def recipe_told(told: Told) -> dict[str, object]:
    assert told.code == 0, told.err
    tokenizer: dict[str, object] = json.loads(told.out)["recipe"]["tokenizer"]
    return tokenizer


@pytest.mark.usefixtures("text")
def test_an_architecture_without_a_discriminator_begins_with_a_model(run: Run, here: Path) -> None:
    assert train_mle(run, *SMALL, *LENGTH).code == 0
    told = train_mle(run, "--from", "m1", "--device", "cpu", data="./t.txt", out="m2")
    assert told.code == 0, told.err
    begun, finished = (RunDirectory(here / name).config().config["generator"] for name in ("m1", "m2"))
    assert begun == finished and begun["hidden_size"] == 6


@pytest.mark.usefixtures("text")
def test_the_tokens_of_a_model_that_is_begun_with_stay_as_they_are(run: Run, here: Path) -> None:
    assert train_mle(run, *SMALL, *LENGTH, "--set", "tokenizer.lower=true").code == 0
    before = listing(here)
    plan = recipe_told(train_mle(run, "--from", "m1", "--dry-run", "--json", out="m2"))
    assert (plan["kind"], plan["length"], plan["lower"]) == ("word", 6, True)  # and not the recipe's 20
    agreeing = ["--set", "tokenizer.length=6", "--set", "tokenizer.kind=word", "--set", "tokenizer.longer=cut"]
    assert recipe_told(train_mle(run, "--from", "m1", *agreeing, "--dry-run", "--json", out="m2"))["longer"] == "cut"
    for dry in ([], ["--dry-run"]):
        other = ["--set", "tokenizer.length=10", "--set", "tokenizer.kind=char", *dry]
        told = train_mle(run, "--from", "m1", *other, out="m2")
        assert told.code == 1
        assert "'m1' has tokenizer.kind=word, tokenizer.length=6, which cannot be changed to tokenizer.kind=char, " in told.err
        assert "tokenizer.length=10.\nLeave these settings out" in told.err
    (here / "my.toml").write_text("[recipe.tokenizer]\nsize = 5\n")
    assert (
        "which cannot be changed to tokenizer.size=5." in train_mle(run, "--from", "m1", "--settings", "my.toml", out="m2").err
    )
    assert listing(here) - {"my.toml"} == before


def test_the_tokens_of_data_that_bring_their_own_stay_as_they_are(run: Run, here: Path) -> None:
    plan = recipe_told(train_mle(run, "--dry-run", "--json", data="text-oracle-small"))
    assert plan["kind"] == "ids"
    plan = recipe_told(train_mle(run, *LENGTH, "--dry-run", "--json", data="grammar"))
    assert (plan["kind"], plan["length"]) == ("word", 6)  # how long sentences may be is not a matter of the vocabulary
    told = train_mle(run, "--set", "tokenizer.kind=char", "--dry-run", data="grammar")
    assert "'grammar' has tokenizer.kind=word, which cannot be changed to tokenizer.kind=char." in told.err
    assert not listing(here)


@pytest.mark.usefixtures("text")
@pytest.mark.parametrize("dry", [[], ["--dry-run"]], ids=["run", "dry-run"])
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--images", "160"], "trained for so many steps.\nFor example: --set phases.mle.steps=1000"),
        (["--film"], "A film is made of pictures, and 'mle' makes text.\nLeave --film out"),
        (
            ["--set", "phases.mle.kind=policy-gradient", "--set", "phases.mle.options.patience=null"],
            "needs a discriminator, and this",
        ),
        (["--set", "tokenizer.kind=ward"], "There is no kind of tokenizer 'ward'"),
        (["--set", "validation=0.000001"], "has 12 different sentences: too few to hold out a share of 1e-06"),
    ],
)
def test_what_cannot_be_used_writes_nothing(run: Run, here: Path, arguments: list[str], words: str, dry: list[str]) -> None:
    before = listing(here)
    told = train_mle(run, *SMALL, *arguments, *dry)
    assert told.code == 1
    assert words in told.err
    assert listing(here) == before


@pytest.mark.usefixtures("text")
def test_the_vocabulary_of_the_data_must_be_that_of_the_model(run: Run, here: Path) -> None:
    assert train_mle(run, *SMALL, *LENGTH).code == 0
    for dry in ([], ["--dry-run"]):
        told = train_mle(run, "--from", "m1", *dry, data="text-oracle-small", out="m2")
        assert told.code == 1 and "has sentences of 10 tokens out of IdTokenizer" in told.err
    told = train_mle(run, "--from", "m1", "--device", "cpu", data="grammar", out="m2")
    assert told.code == 0
    assert "grammar/train knows the density of its own tokens; this model has others, so it is not used." in told.err
