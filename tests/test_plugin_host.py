from pathlib import Path

import pytest

from ganzoo.discovery import installed_plugins
from ganzoo.errors import AmbiguousNameError, PluginError, PluginMissingError, PluginWarning, UnknownNameError
from ganzoo.plugin_host import PluginHost
from tests.support.distributions import make_distribution

GOOD = """
from ganzoo.hookspecs import hookimpl
from ganzoo.spec import Architecture, Part

@hookimpl
def ganzoo_architectures():
    return [Architecture(id="{id}", summary="x", modality="image", task="t", networks={{"generator": "{module}.net:G"}})]

@hookimpl
def ganzoo_datasets():
    return [Part(id="{id}-data", summary="x", target="{module}.data:load")]
"""

HOOK = "from ganzoo.hookspecs import hookimpl\n"
BROKEN = {
    "raises": "raise RuntimeError('boom')",
    "exits": "import sys; sys.exit('bye')",
    "import": "import a_module_that_is_not_there",
    "syntax": "def (",
    "raising-hook": HOOK + "@hookimpl\ndef ganzoo_architectures():\n    raise ValueError('in the hook')",
    "misspelt-hook": HOOK + "@hookimpl\ndef ganzoo_architecture():\n    return []",
    "nonsense": HOOK + "@hookimpl\ndef ganzoo_architectures():\n    return ['dcgan']",
    "raising-generator": (HOOK + "@hookimpl\ndef ganzoo_architectures():\n    yield 1 / 0"),
    "evil-truth": (
        HOOK + "class Evil:\n    def __bool__(self): raise RuntimeError('no')\n"
        "    def __iter__(self): raise RuntimeError('no')\n@hookimpl\ndef ganzoo_architectures():\n    return Evil()"
    ),
    "endless-default": (
        HOOK + "from ganzoo.spec import Architecture, ConfigField\n"
        "loop = []\nloop.append(loop)\n@hookimpl\ndef ganzoo_architectures():\n"
        "    return [Architecture(id='x', summary='x', modality='image', task='t', networks={'generator': 'a:B'},"
        " config=(ConfigField(name='a', default=loop, doc='x'),))]"
    ),
    "base-exception": "class Odd(BaseException): pass\nraise Odd('odd')",
    "not-iterable": HOOK + "@hookimpl\ndef ganzoo_architectures():\n    return 3",
    "wrong-type": (
        HOOK + "from ganzoo.spec import Architecture\n@hookimpl\ndef ganzoo_architectures():\n"
        "    return [Architecture(id='x', summary='x', modality='smell', task='t', networks={'generator': 'a:B'})]"
    ),
}


def good(root: Path, name: str, architecture: str | None = None) -> None:
    module = f"zoo_{name}"
    make_distribution(
        root, f"dist-{name}", module=module, plugin=name, source=GOOD.format(id=architecture or name, module=module)
    )


def host_of(*names: str) -> PluginHost:
    return PluginHost([p for p in installed_plugins() if p.name in names])


def test_an_installed_plugin_is_found_with_its_distribution(site: Path) -> None:
    good(site, "fine")
    (plugin,) = [p for p in installed_plugins() if p.name == "fine"]
    assert (plugin.distribution, plugin.version, plugin.module) == ("dist-fine", "1.0", "zoo_fine")
    assert plugin.cards == str(site / "zoo_fine" / "cards")


def test_discovery_imports_no_plugin(site: Path) -> None:
    make_distribution(site, "explosive", module="zoo_explosive", source="raise SystemExit(3)")
    make_distribution(
        site, "explosive-dotted", module="zoo_dotted", entry_points="[ganzoo]\ndotted = zoo_dotted.inner:plugin\n"
    )
    names = {p.name: p for p in installed_plugins()}
    assert "explosive" in names
    assert names["dotted"].cards == str(site / "zoo_dotted" / "cards")


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_plugin_is_set_aside_and_the_others_work(site: Path, kind: str) -> None:
    good(site, "fine")
    make_distribution(site, "dist-broken", module="zoo_broken", plugin="broken", source=BROKEN[kind])
    host = host_of("fine", "broken")
    with pytest.warns(PluginWarning, match=r"'broken' of dist-broken 1\.0"):
        table = host.architectures()
    assert list(table) == ["fine"]
    assert {p.name: p.error is None for p in host.plugins} == {"fine": True, "broken": False}


def test_a_broken_plugin_warns_once(site: Path, recwarn: pytest.WarningsRecorder) -> None:
    make_distribution(site, "dist-broken", module="zoo_broken", plugin="broken", source=BROKEN["raises"])
    host = host_of("broken")
    with pytest.warns(PluginWarning):
        host.architectures()
    host.architectures()
    host.parts("ganzoo_datasets", "data set")
    assert len(recwarn) == 0


def test_needing_a_broken_plugin_says_why_it_is_broken(site: Path) -> None:
    make_distribution(site, "dist-broken", module="zoo_broken", plugin="broken", source=BROKEN["raises"])
    with pytest.warns(PluginWarning), pytest.raises(PluginError, match="RuntimeError: boom"):
        host_of("broken").architecture("broken", plugin="broken", distribution="dist-broken")


def test_the_owners_architecture_is_used_and_no_other_plugin_imported(site: Path) -> None:
    good(site, "fine")
    make_distribution(site, "dist-broken", module="zoo_broken", plugin="broken", source=BROKEN["raises"])
    found = host_of("fine", "broken").architecture("fine", plugin="fine", distribution="dist-fine")
    assert found.networks == {"generator": "zoo_fine.net:G"}


def test_two_plugins_claiming_one_architecture_stop_that_name_alone(site: Path) -> None:
    good(site, "one", architecture="shared")
    good(site, "two", architecture="shared")
    good(site, "three")
    table = host_of("one", "two", "three").architectures()
    with pytest.raises(AmbiguousNameError, match="one/shared.*two/shared"):
        table.find("shared")
    assert table.find("two/shared")[0].name == "two"
    assert table.find("three")[1].id == "three"


def test_two_distributions_with_one_plugin_name_are_told_apart_by_the_distribution(site: Path) -> None:
    make_distribution(site, "dist-a", module="zoo_a", plugin="same", source=GOOD.format(id="a", module="zoo_a"))
    make_distribution(site, "dist-b", module="zoo_b", plugin="same", source=GOOD.format(id="b", module="zoo_b"))
    host = host_of("same")
    assert sorted(host.architectures()) == ["a", "b"]
    assert host.architecture("a", plugin="same", distribution="dist-a").id == "a"
    assert host.architecture("b", plugin="same", distribution="Dist_B>=1").id == "b"
    with pytest.raises(PluginError, match=r"claimed by dist-a and dist-b"):
        host.architecture("a", plugin="same", distribution="dist-c")


def test_a_missing_plugin_gives_the_exact_pip_command(site: Path) -> None:
    with pytest.raises(PluginMissingError) as caught:
        host_of().architecture("their-gan", plugin="their", distribution="ganzoo-their-gan>=2")
    assert 'pip install "ganzoo-their-gan>=2"' in str(caught.value)


def test_a_plugin_without_the_architecture_suggests_an_upgrade(site: Path) -> None:
    good(site, "fine")
    with pytest.raises(PluginError, match="pip install --upgrade"):
        host_of("fine").architecture("newer", plugin="fine", distribution="dist-fine")


@pytest.mark.parametrize(
    ("setting", "loaded"),
    [
        (None, {"one", "two"}),
        ("", set()),
        ("one", {"one"}),
        (" one , two ", {"one", "two"}),
        ("dist_two", {"two"}),
        ("nobody", set()),
    ],
)
def test_the_environment_restricts_what_loads(
    site: Path, monkeypatch: pytest.MonkeyPatch, setting: str | None, loaded: set[str]
) -> None:
    good(site, "one")
    good(site, "two")
    if setting is not None:
        monkeypatch.setenv("GANZOO_PLUGINS", setting)
    assert set(host_of("one", "two").architectures()) == loaded


def test_a_plugin_that_is_switched_off_is_not_called_missing(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good(site, "fine")
    monkeypatch.setenv("GANZOO_PLUGINS", "")
    with pytest.raises(PluginError, match="GANZOO_PLUGINS keeps it from loading"):
        host_of("fine").architecture("fine", plugin="fine", distribution="dist-fine")


def test_parts_of_plugins_and_of_ganzoo_are_one_table(site: Path) -> None:
    good(site, "fine")
    parts = host_of("fine").parts("ganzoo_datasets", "data set")
    assert parts.find("fine-data").target == "zoo_fine.data:load"
    with pytest.raises(UnknownNameError, match="no data set named 'fine-dat'"):
        parts.find("fine-dat")


def test_damaged_metadata_of_one_package_does_not_hide_the_others(site: Path) -> None:
    good(site, "fine")
    (site / "dist_fine-1.0.dist-info").rename(site / "dist_fine-1.0.dist-info")
    hurt = site / "hurt-1.0.dist-info"
    hurt.mkdir()
    (hurt / "METADATA").write_text("Metadata-Version: 2.1\nName: hurt\nVersion: 1.0\n")
    (hurt / "entry_points.txt").write_bytes(b"[ganzoo]\nx = \xff\xfe\x00\n")
    nameless = site / "nameless-1.0.dist-info"
    nameless.mkdir()
    (nameless / "METADATA").write_text("Metadata-Version: 2.1\n")
    with pytest.warns(PluginWarning, match="hurt"):
        names = [p.name for p in installed_plugins()]
    assert "fine" in names


def answering(hook: str, value: str) -> str:
    return f"from ganzoo.hookspecs import hookimpl\n@hookimpl\ndef {hook}():\n    return {value}\n"


@pytest.mark.parametrize("value", ["3", "[3]", "__import__('click').Command('x')"])
def test_commands_that_are_none_set_the_plugin_aside(site: Path, value: str) -> None:
    make_distribution(site, "dist-odd", module="zoo_odd", plugin="odd", source=answering("ganzoo_commands", value))
    host = host_of("odd")
    with pytest.warns(PluginWarning, match="'odd' of dist-odd.*(click commands|not iterable)"):
        assert list(host.commands()) == []


def test_a_doctor_that_tells_nonsense_sets_the_plugin_aside(site: Path) -> None:
    make_distribution(site, "dist-odd", module="zoo_odd", plugin="odd", source=answering("ganzoo_doctor", "['fine']"))
    make_distribution(site, "dist-well", module="zoo_well", plugin="well", source=answering("ganzoo_doctor", "{'gpu': 1}"))
    with pytest.warns(PluginWarning, match="'odd' of dist-odd"):
        assert host_of("odd", "well").doctor() == {"well": {"gpu": "1"}}


@pytest.mark.parametrize("value", ["zoo_odd:a:b", "zoo odd", ":"])
def test_a_malformed_entry_point_is_called_that(site: Path, value: str) -> None:
    make_distribution(site, "dist-odd", module="zoo_odd", entry_points=f"[ganzoo]\nodd = {value}\n")
    good(site, "fine")
    host = host_of("fine", "odd")
    with pytest.warns(PluginWarning, match="malformed entry point"):
        table = host.architectures()
    assert list(table) == ["fine"]


@pytest.mark.parametrize("metadata", [b"Metadata-Version: 2.1\nName: caf\xe9\nVersion: 1.0\n", b"\xff\xfe"])
@pytest.mark.filterwarnings("ignore:The metadata of")
def test_unreadable_metadata_of_any_package_hides_no_plugin(site: Path, metadata: bytes) -> None:
    good(site, "fine")
    strange = site / "strange-1.0.dist-info"
    strange.mkdir()
    (strange / "METADATA").write_bytes(metadata)
    assert "fine" in [p.name for p in installed_plugins()]


def test_a_plugin_that_prints_does_not_touch_standard_output(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_distribution(site, "dist-loud", module="zoo_loud", plugin="loud", source="print('hello from the import')")
    host_of("loud").architectures()
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "hello from the import\n")
