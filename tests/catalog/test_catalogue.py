import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

import ganzoo
from ganzoo.catalog import catalog, index, list_models, model_card
from ganzoo.errors import AmbiguousNameError, CardError, InvalidValueError, PluginWarning, UnknownNameError
from ganzoo.spec import HubSource
from tests.support.distributions import card, make_distribution


def bring(site: Path, name: str = "acme", **cards: str) -> Path:
    return make_distribution(
        site, f"dist-{name}", module=f"zoo_{name}", plugin=name, cards={f"{k}.toml": v for k, v in cards.items()}
    )


def test_a_plugins_cards_are_found_without_importing_it(site: Path) -> None:
    make_distribution(site, "dist-acme", module="zoo_acme", source="raise SystemExit", cards={"a.toml": card("zebra-one")})
    found = model_card("zebra-one")
    assert found.architecture == "dcgan"
    assert found.source == HubSource(repository="someone/zebra-one", revision="0" * 40)
    assert "zoo_acme" not in sys.modules


def test_cards_are_frozen(site: Path) -> None:
    bring(site, a=card("zebra-one"))
    with pytest.raises(AttributeError):
        model_card("zebra-one").summary = "x"  # type: ignore[misc]


def test_shared_fields_stand_once_and_a_models_own_field_wins(site: Path) -> None:
    text = 'status = "experimental"\ntags = ["shared"]\n' + card("zebra-one") + card("zebra-two", extra='status = "deprecated"')
    bring(site, a=text)
    assert (model_card("zebra-one").status, model_card("zebra-two").status) == ("experimental", "deprecated")
    assert model_card("zebra-one").tags == ("small",)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (("summary", "sumary"), "sumary"),
        (('summary = "A model for tests"', "summary = 3"), r"\$.summary"),
        (('modality = "image"', 'modality = "smell"'), r"\$.modality"),
        ((', sha256 = "' + "0" * 64 + '"', ""), "sha256"),
        (("0" * 64, "0" * 63), r"\$.files\[0\].sha256"),
        (('weights = "Apache-2.0"', 'weights = "Apache"'), r"\$.licence.weights"),
        (('weights = "Apache-2.0"', 'weights = "apache-2.0"'), r"write 'Apache-2.0'"),
        ((", commercial = true", ""), "commercial"),
        (("size = 10", "size = 0"), r"\$.files\[0\].size"),
        (('path = "generator.safetensors"', 'path = "../../etc/passwd"'), r"\$.files\[0\].path"),
        (('path = "generator.safetensors"', 'path = "/etc/passwd"'), r"\$.files\[0\].path"),
        (('revision = "' + "0" * 40 + '"', 'revision = "main"'), r"\$.source.revision"),
        (('kind = "hf"', 'kind = "ftp"'), r"\$.source.kind"),
        (("range = [-1.0, 1.0]", "range = [-inf, nan]"), "no JSON value"),
        (('summary = "A', 'config = {generator = {born = 1979-05-27}}\nsummary = "A'), "no JSON value"),
        (("[model.zebra-bad]", "[model.zebra-bad]\nname = 'other'"), "name"),
        (("[model.zebra-bad]", "[model.Zebra-bad]"), r"\$.name"),
    ],
    ids=lambda v: v if isinstance(v, str) else None,
)
def test_a_card_with_an_error_names_file_model_and_field(site: Path, change: tuple[str, str], field: str) -> None:
    text = card("zebra-bad")
    assert change[0] in text
    bring(site, a=card("zebra-good"), bad=text.replace(*change))
    with pytest.warns(PluginWarning, match=f"(?s)dist-acme.*bad.toml.*(?i:zebra-bad).*{field}"):
        names = [c.name for c in list_models()]
    assert "zebra-good" in names
    assert "zebra-bad" not in names


def test_asking_for_a_card_that_was_set_aside_says_what_is_wrong_with_it(site: Path) -> None:
    bring(site, a=card("zebra-bad").replace('modality = "image"', 'modality = "smell"'))
    with pytest.warns(PluginWarning), pytest.raises(CardError) as caught:
        model_card("zebra-bad")
    assert (caught.value.model, "modality" in caught.value.problem) == ("zebra-bad", True)


@pytest.mark.parametrize(
    "content",
    [
        b"[model",
        b"\xff\xfe",
        b"",
        b"x = 1",
        b"model = 3",
        b"[model]\nx = 3",
        b"a=" + b"[" * 5000,
        b"a=" + b"9" * 5000,
        b"#" * 2_000_000,
    ],
    ids=lambda c: repr(c[:12]),
)
def test_a_file_that_is_no_card_file_is_set_aside_whole(site: Path, content: bytes) -> None:
    folder = bring(site, a=card("zebra-good"))
    (folder / "cards" / "bad.toml").write_bytes(content)
    with pytest.warns(PluginWarning, match="bad.toml"):
        assert "zebra-good" in [c.name for c in list_models()]


def test_a_pipe_among_the_card_files_does_not_hang(site: Path) -> None:
    folder = bring(site, a=card("zebra-good"))
    os.mkfifo(folder / "cards" / "pipe.toml")
    with pytest.warns(PluginWarning, match="no regular file"):
        assert "zebra-good" in [c.name for c in list_models()]


def test_a_search_path_that_is_no_utf8(site: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    odd = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9")
    Path(odd).mkdir()
    monkeypatch.syspath_prepend(odd)
    bring(Path(odd), a=card("zebra-odd"))
    assert "zebra-odd" in [c.name for c in list_models()]
    assert index._cached(index._cache_file()) is None or "zebra-odd" in [c.name for c in list_models()]


def test_two_plugins_claiming_one_model(site: Path) -> None:
    bring(site, "acme", a=card("zebra-one") + card("zebra-two"))
    bring(site, "other", a=card("zebra-one", extra='aliases = ["zebra"]'))
    with pytest.raises(AmbiguousNameError, match="acme/zebra-one.*other/zebra-one"):
        model_card("zebra-one")
    assert model_card("other/zebra-one").aliases == ("zebra",)
    assert model_card("zebra").aliases == ("zebra",)
    assert model_card("zebra-two").name == "zebra-two"


def test_a_miss_names_the_closest(site: Path) -> None:
    bring(site, a=card("zebra-one"))
    with pytest.raises(UnknownNameError, match="Did you mean 'zebra-one'"):
        model_card("zebra-oen")


@pytest.mark.parametrize("name", ["hf:org/repo", "./file"])
def test_only_catalogue_names_have_cards(name: str) -> None:
    with pytest.raises(InvalidValueError):
        model_card(name)


def test_search_by_glob_and_fields(site: Path) -> None:
    other = card("zebra-two", architecture="other", plugin="other", extra='aliases = ["okapi-best"]').replace(
        "Apache-2.0", "CC-BY-NC-4.0"
    )
    bring(site, a=card("zebra-one") + other.replace('modality = "image"', 'modality = "text"').replace('"small"', '"large"'))

    def names(*args: str, **filters: str) -> list[str]:
        return [c.name for c in list_models(*args, **filters) if c.name.startswith("zebra")]

    assert names("zebra*") == ["zebra-one", "zebra-two"]
    assert names("ZEBRA-O*") == ["zebra-one"]
    assert names("okapi*") == ["zebra-two"]
    assert names(modality="text") == ["zebra-two"]
    assert names(architecture="dc*") == ["zebra-one"]
    assert names(licence="cc-by-nc*") == ["zebra-two"]
    assert names(tag="small") == ["zebra-one"]
    assert names(task="*generation") == ["zebra-one", "zebra-two"]
    assert names(plugin="acme") == ["zebra-one", "zebra-two"]
    assert names(plugin="acme", modality="text", tag="small") == []


def test_plugins_that_are_switched_off_bring_no_cards(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bring(site, a=card("zebra-one"))
    monkeypatch.setenv("GANZOO_PLUGINS", "")
    assert "zebra-one" not in [c.name for c in list_models()]
    monkeypatch.setenv("GANZOO_PLUGINS", "acme")
    assert "zebra-one" in [c.name for c in list_models()]


def settle(*paths: Path) -> None:
    """Makes the paths look as if they had last changed long ago, so that the cache may trust them."""
    for path in paths:
        os.utime(path, (1_000_000_000, 1_000_000_000))


@pytest.fixture
def quiet_path(site: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """``sys.path`` with only folders that nobody is writing to."""
    monkeypatch.setattr(sys, "path", [str(site), str(Path(ganzoo.__file__).parent.parent)])
    return site


def test_the_index_is_remembered_and_made_anew_when_something_changes(
    quiet_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = bring(quiet_path, a=card("zebra-one"))
    file = folder / "cards" / "a.toml"
    settle(file, folder / "cards", quiet_path)
    monkeypatch.setattr(index, "RACY", -(10**18))  # whatever else is on the path counts as settled
    builds = []
    build = index._build
    monkeypatch.setattr(index, "_build", lambda: builds.append(1) or build())

    def names() -> list[str]:
        return [c.name for c in list_models("zebra*")]

    assert (names(), names(), len(builds)) == (["zebra-one"], ["zebra-one"], 1)
    file.write_text(card("zebra-two"))  # a card was edited
    assert (names(), len(builds)) == (["zebra-two"], 2)
    (folder / "cards" / "b.toml").write_text(card("zebra-three"))  # a card file was added
    assert (names(), len(builds)) == (["zebra-three", "zebra-two"], 3)
    bring(quiet_path, "other", a=card("zebra-four"))  # a distribution was installed
    assert (names(), len(builds)) == (["zebra-four", "zebra-three", "zebra-two"], 4)
    file.unlink()
    assert (names(), len(builds)) == (["zebra-four", "zebra-three"], 5)


def test_folders_that_have_just_changed_are_not_trusted(quiet_path: Path) -> None:
    bring(quiet_path, a=card("zebra-one"))
    now = time.time()
    os.utime(quiet_path, (now, now))
    first = index.read_index()
    assert index._cached(index._cache_file()) is None
    assert [e.card.name for e in first.entries if e.owner == "acme"] == ["zebra-one"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"version": 3}', b"\x00" * 100, b'{"version": "\xff"}'])
def test_a_damaged_cache_only_costs_time(site: Path, content: bytes) -> None:
    bring(site, a=card("zebra-one"))
    file = Path(index._cache_file())
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    assert "zebra-one" in [c.name for c in list_models()]


def test_a_cache_that_cannot_be_written_only_costs_time(site: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    bring(site, a=card("zebra-one"))
    (tmp_path / "a-file").touch()
    monkeypatch.setenv("GANZOO_HOME", str(tmp_path / "a-file" / "below"))
    assert "zebra-one" in [c.name for c in list_models()]


def test_the_registry_is_sound() -> None:
    """Every card that ganzoo ships decodes, and has nothing that only a person would notice missing."""
    found = catalog()
    assert not found.problems
    for each in found:
        assert each.summary


def test_listing_imports_nothing_heavy(site: Path) -> None:
    bring(site, a=card("zebra-one"))
    program = (
        "import sys, json; sys.path.insert(0, sys.argv[1]); import ganzoo; before = set(sys.modules);"
        "names = [c.name for c in ganzoo.list_models()];"
        "print(json.dumps([names, sorted(sys.modules)]))"
    )
    done = subprocess.run([sys.executable, "-c", program, str(site)], capture_output=True, text=True, check=True)
    names, modules = json.loads(done.stdout)
    assert "zebra-one" in names
    assert not {"torch", "numpy", "transformers", "timm", "huggingface_hub", "safetensors", "PIL", "rich"} & set(modules)


def test_many_broken_cards_are_summed_up(site: Path, recwarn: pytest.WarningsRecorder) -> None:
    bad = "".join(card(f"zebra-{i}").replace('modality = "image"', 'modality = "smell"') for i in range(20))
    bring(site, a=bad + card("zebra-good"))
    with pytest.warns(PluginWarning) as caught:
        assert "zebra-good" in [c.name for c in list_models()]
    assert len(caught) == 6
    assert str(caught[-1].message) == "15 more model cards were set aside; `ganzoo doctor` lists them."


def test_old_indexes_are_thrown_away(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Path(index._cache_file()).parent
    folder.mkdir(parents=True)
    for i in range(30):
        (folder / f"{i:08x}.json").write_text("{}")
        os.utime(folder / f"{i:08x}.json", (i, i))
    index.read_index()
    left = sorted(p.name for p in folder.iterdir())
    assert len(left) == index.KEPT
    assert Path(index._cache_file()).name in left
    assert f"{29:08x}.json" in left
