"""Names and settings as people type them."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganzoo import resources
from ganzoo.data import ImageFolder
from ganzoo.errors import ConfigError, DataError, InvalidValueError, MissingExtraError, PluginError, UnknownNameError
from ganzoo_dcgan.networks import DCGANDiscriminator, DCGANGenerator
from tests.support.distributions import card, make_distribution

PLUGIN = """
from ganzoo.hookspecs import hookimpl
from ganzoo.spec import Part

@hookimpl
def ganzoo_datasets():
    return [
        Part(id="dots", summary="x", target="zoo_acme.parts:dots"),
        Part(id="nothing", summary="x", target="zoo_acme.parts:nothing"),
        Part(id="wrong", summary="x", target="zoo_acme.parts:wrong"),
        Part(id="number", summary="x", target="zoo_acme.parts:number"),
        Part(id="whole", summary="x", target="zoo_acme.parts:whole"),
        Part(id="nameless", summary="x", target="zoo_acme.parts:nameless"),
        Part(id="unsure", summary="x", target="zoo_acme.parts:unsure"),
        Part(id="hungry", summary="x", target="zoo_acme.hungry:load", extra="datasets"),
        Part(id="absent", summary="x", target="zoo_acme.no_such:load"),
    ]
"""
PARTS = """
import torch
from ganzoo.data import TensorDataset

class Empty(TensorDataset):
    def __init__(self): pass
    def __len__(self): return 0

def dots(split): return TensorDataset(torch.zeros(3, 1, 4, 4, dtype=torch.uint8), f"dots/{split}")
def nothing(split): return Empty()
def wrong(split): return [split]
def whole(): return dots("all")
def nameless(split):
    made = dots(split)
    del made.name
    return made
def unsure(split):
    made = dots(split)
    made.labels = torch.tensor([0, 1])
    return made
number = 3
"""


@pytest.fixture
def acme(site: Path) -> Path:
    package = make_distribution(
        site, "dist-acme", module="zoo_acme", plugin="acme", source=PLUGIN, cards={"a.toml": card("zebra-one")}
    )
    (package / "parts.py").write_text(PARTS)
    (package / "hungry.py").write_text("import package_that_an_extra_brings")
    return package


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    (tmp_path / "dots").mkdir()
    Image.fromarray(np.zeros((8, 8), dtype=np.uint8)).save(tmp_path / "dots" / "a.png")
    return tmp_path / "dots"


# --- data -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "split"), [("dots", "train"), ("dots:test", "test"), ("acme/dots:all", "all")])
def test_a_data_set_and_its_split(acme: Path, text: str, split: str) -> None:
    assert resources.open_dataset(text).name == f"dots/{split}"
    assert resources.open_dataset("dots", split="all").name == "dots/all"


def test_what_exists_on_disk_is_a_folder_whatever_its_name(acme: Path, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(photos.parent)
    for text in ("dots", "./dots", str(photos)):
        assert isinstance(resources.open_dataset(text), ImageFolder)
    monkeypatch.setenv("HOME", str(photos.parent))
    assert len(resources.open_dataset("~/dots")) == 1
    with pytest.raises(DataError, match="no folder"):
        resources.open_dataset("./dost")


def test_data_that_cannot_be_used(acme: Path) -> None:
    with pytest.raises(UnknownNameError, match="no data set named 'dost'") as caught:
        resources.open_dataset("dost")
    assert caught.value.hint == "There is no file or folder of that name either. Did you mean 'dots'?"
    assert caught.value.close == ("dots",)
    with pytest.raises(DataError, match="'nothing' is empty"):
        resources.open_dataset("nothing")
    with pytest.raises(PluginError, match=r"'wrong' is a list, not a ganzoo\.data\.Dataset"):
        resources.open_dataset("wrong")
    with pytest.raises(
        PluginError, match="'number' names 'zoo_acme.parts:number', which is of the type int and cannot be called"
    ):
        resources.open_dataset("number")
    with pytest.raises(PluginError, match="'whole' names 'zoo_acme.parts:whole', which takes no keyword argument 'split'"):
        resources.open_dataset("whole")
    with pytest.raises(PluginError, match="'nameless' has no attribute 'name'"):
        resources.open_dataset("nameless")
    with pytest.raises(DataError, match=r"dots/train: 3 examples cannot have labels of shape \[2\]"):
        resources.open_dataset("unsure")
    with pytest.raises(MissingExtraError, match=r'pip install "ganzoo-hub\[datasets\]"'):
        resources.open_dataset("hungry")
    with pytest.raises(PluginError, match=r"zoo_acme\.no_such:load"):
        resources.open_dataset("absent")


def test_a_run_records_folders_by_their_full_path_and_names_as_they_are(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(photos.parent)
    monkeypatch.setenv("HOME", str(photos.parent))
    assert {resources.data_source(text) for text in ("dots", "./dots", "~/dots", str(photos))} == {str(photos)}
    assert resources.data_source("mnist-5k:test") == "mnist-5k:test"


SPACES = """
from ganzoo.hookspecs import hookimpl
from ganzoo.spec import Part

@hookimpl
def ganzoo_features():
    names = ["plain", "free", "wrong", "hungry", "number", "hashless"]
    modules = {"hungry": "hungry"}
    return [Part(id=n, summary="x", target=f"zoo_acme.{modules.get(n, 'spaces')}:{n}", extra="datasets") for n in names]

@hookimpl
def ganzoo_metrics():
    return [Part(id=n, summary="how many", target=f"zoo_acme.spaces:{n}") for n in ("mine", "number")]
"""
SPACE_PARTS = """
from ganzoo.metrics import Features

class Space(Features):
    sha256 = "0" * 64
    def __init__(self, **given): self.name = repr(sorted(given.items()))
    def __call__(self, images): raise NotImplementedError

def plain(): return Space()
def free(variant="default", weights=None, revision=None): return Space(variant=variant, weights=weights, revision=revision)
def wrong(): return "a space"
def hashless():
    made = Space()
    made.sha256 = None
    return made
number = 3
def mine(sets): return {"count": float(len(sets.generated))}
"""


@pytest.fixture
def spaces(site: Path) -> None:
    package = make_distribution(site, "dist-acme", module="zoo_acme", plugin="acme", source=SPACES)
    (package / "spaces.py").write_text(SPACE_PARTS)
    (package / "hungry.py").write_text("import package_that_an_extra_brings")


def test_feature_spaces() -> None:
    assert resources.open_features("digits").name == "digits"
    assert resources.open_features("pixels:8").name == "pixels:8"
    with pytest.raises(UnknownNameError, match="no feature space named 'digit'.\nDid you mean 'digits'"):
        resources.open_features("digit")
    with pytest.raises(InvalidValueError, match="'x' is no number of pixels"):
        resources.open_features("pixels:x")


def test_the_parts_of_the_name_of_a_feature_space(spaces: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def given(text: str) -> str:
        return resources.open_features(text).name

    nothing = "[('revision', None), ('variant', 'default'), ('weights', None)]"
    assert given("plain") == "[]" and given("free") == given("acme/free") == nothing
    assert given("free:a.b") == nothing.replace("default", "a.b")
    assert given("free:a@v1.0") == nothing.replace("default", "a").replace("('revision', None)", "('revision', 'v1.0')")
    for path in ("./w.pth", "/w/v:1.pth", "~/w.pth"):
        assert given(f"free:a@{path}").endswith(f"('variant', 'a'), ('weights', {Path(path).expanduser()!r})]")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "main").touch()
    assert "('weights', PosixPath('main'))" in given("free@main")  # it exists


@pytest.mark.parametrize(
    ("text", "words"),
    [("plain:x", "takes no variant"), ("plain@./x", "takes no file of weights"), ("plain@x", "takes no revision")],
)
def test_what_a_feature_space_does_not_take(spaces: None, text: str, words: str) -> None:
    with pytest.raises(InvalidValueError, match=words):
        resources.open_features(text)


def test_feature_spaces_that_are_none(spaces: None) -> None:
    with pytest.raises(PluginError, match=r"'wrong' is a str, not a ganzoo\.metrics\.Features"):
        resources.open_features("wrong")
    with pytest.raises(PluginError, match="'number' names 'zoo_acme.spaces:number', which is of the type int"):
        resources.open_features("number")
    with pytest.raises(PluginError, match="'hashless' has no attribute 'sha256', or one that is no text"):
        resources.open_features("hashless")
    with pytest.raises(MissingExtraError, match=r"ganzoo-hub\[datasets\]"):
        resources.open_features("hungry")


def test_metrics(spaces: None) -> None:
    found = resources.open_metrics(["pr", "acme/mine"])
    assert [(m.id, m.definition) for m in found] == [
        ("pr", "improved precision and recall, k = 3 (Kynkäänniemi et al. 2019)"),
        ("mine", "how many"),
    ]
    with pytest.raises(UnknownNameError, match="no metric named 'mode'.\nDid you mean 'modes'"):
        resources.open_metrics(["mode"])
    with pytest.raises(UnknownNameError, match="no metric named 'zzz'.\nThere are: fid, kid, is, pr, dc, ppl, modes"):
        resources.open_metrics(["zzz"])
    with pytest.raises(PluginError, match="The metric 'number' names 'zoo_acme.spaces:number', which is of the type int"):
        resources.open_metrics(["number"])
    for names in ([], [""], ["pr", "pr"]):
        with pytest.raises(InvalidValueError, match="named once each, and at least one"):
            resources.open_metrics(names)


# --- architectures ----------------------------------------------------------------------------------------------------


def test_architectures_and_their_networks() -> None:
    plugin, found = resources.find_architecture("dcgan/dcgan")
    assert (plugin.name, found.id) == ("dcgan", "dcgan")
    assert resources.network_classes(found) == {"generator": DCGANGenerator, "discriminator": DCGANDiscriminator}


def test_the_name_of_a_model_is_no_architecture(acme: Path) -> None:
    with pytest.raises(UnknownNameError, match="'zebra-one' is a model; its architecture is 'dcgan'"):
        resources.find_architecture("zebra-one")
    with pytest.raises(UnknownNameError, match="Did you mean 'dcgan'"):
        resources.find_architecture("dcgam")


def test_arguments_go_to_the_networks_that_take_them() -> None:
    _, found = resources.find_architecture("dcgan")
    given = resources.network_arguments(found, ["image_size=32", "latent_size=7", "widths=[8, 4]"])
    assert given == {
        "generator": {"image_size": 32, "latent_size": 7, "widths": [8, 4]},
        "discriminator": {"image_size": 32, "widths": [8, 4]},
    }
    with pytest.raises(ConfigError, match="has no argument 'image_sise'.\nIt has: image_size"):
        resources.network_arguments(found, ["image_sise=32"])
    with pytest.raises(ConfigError, match="It has: image_size, channels, latent_size, width, widths"):
        resources.network_arguments(found, ["zzz=1"])


@pytest.mark.parametrize(
    ("text", "value"),
    [("a=1", 1), ("a=1e-3", 1e-3), ("a=true", True), ("a=null", None), ("a=text", "text"), ("a=", ""), ("a=b=c", "b=c"),
     ('a="1"', "1"), ("a=[1, 2]", [1, 2]), ("a={", "{")],
)  # fmt: skip
def test_a_value_is_json_or_else_text(text: str, value: object) -> None:
    parsed = resources.parse_settings([text], "--config", "image_size=32")
    assert json.dumps(parsed) == json.dumps({"a": value})


@pytest.mark.parametrize("text", ["a", "=1", ""])
def test_a_setting_without_a_key_or_value(text: str) -> None:
    with pytest.raises(ConfigError, match="is not of the form key=value.\nFor example: --config image_size=32"):
        resources.parse_settings([text], "--config", "image_size=32")
