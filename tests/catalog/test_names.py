from pathlib import Path

import pytest

from ganzoo.catalog.names import CatalogueName, HubName, PathName, parse_name
from ganzoo.errors import InvalidValueError

NAMES = [
    ("dcgan-mnist", CatalogueName("dcgan-mnist")),
    ("DCGAN-MNIST", CatalogueName("dcgan-mnist")),
    ("acme/dcgan-mnist", CatalogueName("dcgan-mnist", "acme")),
    ("dcgan-mnist@v1.0", CatalogueName("dcgan-mnist", None, "v1.0")),
    ("acme/dcgan-mnist@refs/pr/1", CatalogueName("dcgan-mnist", "acme", "refs/pr/1")),
    ("hf:org/repo", HubName("org/repo")),
    ("hf:org/repo@main", HubName("org/repo", "main")),
    ("hf:org/repo.name_1@" + "a" * 40, HubName("org/repo.name_1", "a" * 40)),
    ("./model.pth", PathName(Path("model.pth"))),
    ("/tmp/none", PathName(Path("/tmp/none"))),
    ("../model", PathName(Path("../model"))),
    (".", PathName(Path())),
]
HOSTILE = [
    "",
    " ",
    "a b",
    "hf:",
    "hf:org",
    "hf:org/repo/file",
    "hf:../../etc",
    "hf:org/repo@",
    "hf:org/..",
    "hf:https://host/org/repo",
    "https://huggingface.co/org/repo",
    "a/b/c",
    "name@",
    "name@../../x",
    "name@-rf",
    "@main",
    "-n",
    "a\0b",
    "naïve",
    "name\n",
    "$(touch x)",
    "name;rm",
    "a" * 10 + "\\b",
]


@pytest.mark.parametrize(("text", "expected"), NAMES, ids=[n for n, _ in NAMES])
def test_every_spelling_is_decided_once(text: str, expected: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert parse_name(text) == expected


@pytest.mark.parametrize("text", HOSTILE, ids=repr)
def test_what_is_no_name_is_refused_with_advice(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidValueError) as caught:
        parse_name(text)
    assert caught.value.hint


def test_what_exists_on_disk_is_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "netG.pth").touch()
    assert parse_name("netG.pth") == PathName(Path("netG.pth"))


def test_a_path_object_is_a_path_and_home_is_expanded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/someone")
    assert parse_name(Path("dcgan-mnist")) == PathName(Path("dcgan-mnist"))
    assert parse_name("~/model") == PathName(Path("/home/someone/model"))
