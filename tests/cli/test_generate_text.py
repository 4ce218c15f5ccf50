"""``ganzoo generate`` of models that make text."""

import json
from pathlib import Path

import pytest

from ganzoo.building import build_random
from ganzoo.checkpoint.folder import model_config, write_model
from ganzoo.targets import import_target
from ganzoo.tokenizers import WordTokenizer, encode_tokenizer
from tests.cli.conftest import Run, listing
from tests.support.distributions import card, make_distribution

PLUGIN = """
from ganzoo.hookspecs import hookimpl
from ganzoo.spec import Architecture, ConfigField

FIELDS = (ConfigField(name="vocab_size", default=6, doc="x"), ConfigField(name="tokenizer_bytes", default=0, doc="x"))
MODELS = {"generator": "zoo_acme.networks:Parrot"}

@hookimpl
def ganzoo_architectures():
    return [Architecture(id="parrot", summary="x", modality="text", task="x", networks=MODELS, config=FIELDS)]
"""
NETWORKS = '''
import torch
from torch import nn
from ganzoo.errors import InvalidValueError
from ganzoo.models import TextGenerator
from ganzoo.tokenizers import TokenizerBuffer

class Parrot(TokenizerBuffer, TextGenerator):
    """Says its prompt, then a word for each option, then what its seed says."""

    latent_shape, output_shape = (1,), (8,)

    def __init__(self, vocab_size=6, tokenizer_bytes=0):
        super().__init__()
        self.vocab_size = vocab_size
        self.weight = nn.Parameter(torch.zeros(1))
        self.init_tokenizer(tokenizer_bytes)

    def forward(self, z, temperature=1.0, top_k=None, top_p=None, prompt=None):
        if not temperature > 0:
            raise InvalidValueError(f"A temperature is above 0, not {temperature}.")
        ids = [] if prompt is None else self.tokenizer.encode_known(prompt)
        said = f"{temperature} {top_k} {top_p}".split()
        if len(ids) + len(said) > 7:
            raise InvalidValueError(f"The prompt has {len(ids)} tokens, more than the 4 that there is room for.")
        ids += [self.tokenizer.vocabulary.index(word) for word in said]
        rows = torch.tensor(ids + [2] + [0] * (7 - len(ids))).repeat(len(z), 1)
        rows[:, len(ids)] = torch.where(z[:, 0] > 0, 2, 4)
        return rows
'''
WORDS = WordTokenizer(["the", "man", "1.0", "0.5", "None", "3", "0.9"])


@pytest.fixture
def parrot(site: Path, here: Path) -> str:
    package = make_distribution(site, "dist-acme", module="zoo_acme", plugin="acme", source=PLUGIN, cards={})
    (package / "networks.py").write_text(NETWORKS)
    arguments = {"vocab_size": WORDS.size, "tokenizer_bytes": len(encode_tokenizer(WORDS))}
    network = build_random(import_target("zoo_acme.networks:Parrot", "The test"), arguments, seed=0)
    network.set_tokenizer(WORDS)
    config = model_config("parrot", "acme", {"generator": arguments}, distribution="dist-acme")
    write_model(here / "parrot", config, {"generator": network.state_dict()})
    return "./parrot"


def test_sentences_are_printed(run: Run, here: Path, parrot: str) -> None:
    before = listing(here)
    told = run("generate", parrot, "-n", 3, "--seed", 0)
    assert (told.code, told.err) == (0, "")
    lines = told.out.splitlines()
    assert len(lines) == 3 and set(lines) <= {"1.0 None None", "1.0 None None the"}
    assert listing(here) == before


def test_options_of_text_arrive(run: Run, parrot: str) -> None:
    told = run("generate", parrot, "--seed", 0, "--prompt", "the man", "--temperature", 0.5, "--top-k", 3, "--top-p", 0.9)
    assert told.out.removesuffix("\n").removesuffix(" the") == "the man 0.5 3 0.9"


def test_the_folder_of_a_run_means_the_model_that_it_made(run: Run, here: Path, parrot: str) -> None:
    expected = run("generate", parrot, "-n", 3, "--seed", 0).out
    (here / "run" / "checkpoints").mkdir(parents=True)
    told = run("generate", "run")
    assert told.code == 1 and "The run in run has made no model yet" in told.err and "ganzoo resume run" in told.err
    (here / "parrot").rename(here / "run" / "model")
    assert run("generate", "run", "-n", 3, "--seed", 0).out == expected
    assert run("generate", "./run", "--seed", 0, "--prompt", "the zebra").code == 1


def test_sentences_are_written_and_told_to_machines(run: Run, here: Path, parrot: str) -> None:
    told = run("generate", parrot, "-n", 2, "--seed", 0, "-o", "out.txt")
    assert told.out == "out.txt (first seed 0)\n"
    lines = (here / "out.txt").read_text().splitlines()
    machine = json.loads(run("generate", parrot, "-n", 2, "--seed", 0, "--json").out)
    assert (machine["text"], machine["files"], machine["seeds"][0]) == (lines, [], 0)
    both = json.loads(run("generate", parrot, "-n", 2, "--seed", 0, "--json", "-o", "more.txt").out)
    assert (both["text"], both["files"]) == (lines, ["more.txt"])


def test_what_a_terminal_would_obey_is_not_printed(run: Run, parrot: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ganzoo.models.TextSamples.text", ["\x1b[2Jhello"])
    told = run("generate", parrot, "--seed", 0)
    assert told.out == "\N{REPLACEMENT CHARACTER}[2Jhello\n"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--temperature", "0"], 1, "A temperature is above 0, not 0.0"),
        (["--temperature", "-1"], 1, "A temperature is above 0, not -1.0"),
        (["--temperature", "hot"], 2, "'hot' is not a valid float"),
        (["--top-k", "many"], 2, "'many' is not a valid integer"),
        (["--prompt", "the zebra"], 1, "The vocabulary has no token for 'zebra'"),
        (["--prompt", "the the the the the"], 1, "The prompt has 5 tokens, more than the 4"),
        (["--class", "1"], 1, "is unconditional"),
        (["-o", "out.png"], 1, "text samples cannot be written as '.png'"),
    ],
)
def test_options_that_cannot_be_used(run: Run, parrot: str, arguments: list[str], code: int, words: str) -> None:
    told = run("generate", parrot, *arguments)
    assert told.code == code
    assert words in told.err


def test_models_of_pictures_take_no_options_of_text(run: Run, here: Path, model: Path) -> None:
    before = listing(here)
    told = run("generate", model, "-o", "grid.png", "--prompt", "a", "--top-k", 3)
    assert told.code == 2
    assert f"--prompt and --top-k can only be given to models of text; '{model}' is a model of image." in told.err
    told = run("generate", model)
    assert told.code == 2
    assert "Missing option '-o' / '--output': where the image samples of" in told.err
    assert listing(here) == before


def test_what_the_catalogue_knows_is_said_before_the_download(
    run: Run, site: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_distribution(site, "dist-acme", module="zoo_acme", plugin="acme", cards={"a.toml": card("zebra-one")})
    monkeypatch.setattr("ganzoo.loading.load", lambda *_, **__: pytest.fail("it was loaded"))
    for arguments in ([], ["-o", "grid.png", "--temperature", "0.5"]):
        assert run("generate", "zebra-one", *arguments).code == 2
