"""``ganzoo.load`` from the Hub and from other servers: the real client, in a process of its own, against a Hub on loopback."""

import hashlib
import io
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from ganzoo.building import build_random
from ganzoo_dcgan.networks import DCGANGenerator
from tests.fakehub import FakeHub
from tests.hub.hubworld import Client, World, wait_for
from tests.support import load_driver
from tests.support.distributions import make_distribution
from tests.support.networks import DISCRIMINATOR, GENERATOR, discriminator, generator, safetensors_bytes

DRIVER = Path(load_driver.__file__)
TRAP = "from pathlib import Path\nPath(__file__).with_name('sprung').touch()\n"
SAFE = safetensors_bytes(generator().state_dict())
OTHER = safetensors_bytes(generator(2).state_dict())
CRITIC = safetensors_bytes(discriminator().state_dict())


class Zoo:
    """A machine, its one process, a Hub, and an installed plugin whose cards a test adds to."""

    def __init__(self, folder: Path) -> None:
        self.hub = FakeHub()
        self.site = folder / "site"
        self.package = make_distribution(self.site, "dist-cards", module="zoo_cards", plugin="cards", cards={})
        make_distribution(self.site, "dist-trap", module="zoo_trap", source=TRAP, entry_points="[other]\nx = y\n")
        self.world = World(self.hub, folder, xet=False, driver=DRIVER)
        self.client = self.start()
        self._count = 0

    def start(self, **environment: str) -> Client:
        path = os.pathsep.join((str(self.site), str(Path(__file__).parents[1])))
        return self.world.client(PYTHONPATH=path, **environment)

    def new(self) -> str:
        """A name that no other test uses."""
        self._count += 1
        return f"gan-{self._count}"

    def repository(self, files: Mapping[str, bytes], **options: bool) -> tuple[str, str]:
        """A new repository and its commit."""
        repository = self.hub.repository(f"someone/{self.new()}", **options)
        return repository.id, repository.commit(files)

    def hub_source(self, files: Mapping[str, bytes]) -> dict[str, str]:
        id, commit = self.repository(files)
        return {"kind": "hf", "repository": id, "revision": commit}

    def card(self, source: Mapping[str, str], *files: Mapping[str, Any], **fields: Any) -> str:
        """A new model of the catalogue; its name."""
        name = self.new()
        card = {
            "summary": "A model for tests",
            "architecture": "dcgan",
            "plugin": "dcgan",
            "modality": "image",
            "task": "unconditional-generation",
            "licence": {"weights": "Apache-2.0", "code": "MIT", "commercial": True},
            "output": {"shape": [1, 8, 8], "range": [-1.0, 1.0]},
            "source": source,
            "files": list(files),
            "config": {"generator": GENERATOR, "discriminator": DISCRIMINATOR},
            **fields,
        }
        lines = [f"{key} = {toml(value)}" for key, value in card.items()]
        (self.package / "cards" / f"{name}.toml").write_text("\n".join([f"[model.{name}]", *lines]))
        return name

    def close(self) -> None:
        self.world.close()
        self.hub.close()


def toml(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key} = {toml(item)}" for key, item in value.items()) + "}"
    return "[" + ", ".join(map(toml, value)) + "]" if isinstance(value, list | tuple) else json.dumps(value)


def file(data: bytes, path: str = "generator.safetensors", role: str = "generator", **more: Any) -> dict[str, Any]:
    return {"role": role, "path": path, "sha256": hashlib.sha256(data).hexdigest(), "size": len(data), **more}


def config(**changes: Any) -> bytes:
    ours = {"library_name": "ganzoo", "ganzoo_version": "0.1.0", "architecture": "dcgan", "plugin": "dcgan"}
    return json.dumps({**ours, "generator": GENERATOR, **changes}).encode()


def torch_bytes(content: Any, **options: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer, **options)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zoo]:
    zoo = Zoo(tmp_path_factory.mktemp("machine"))
    yield zoo
    zoo.close()


@pytest.fixture
def zoo(machine: Zoo) -> Iterator[Zoo]:
    machine.hub.forget()
    yield machine
    machine.hub.heal()
    assert machine.hub.unhandled == []


@pytest.fixture(scope="module")
def expected() -> dict[int, str]:
    return {seed: load_driver.weights(generator(seed)) for seed in (1, 2)}


# --- from a card ------------------------------------------------------------------------------------------------------


def test_a_card_is_loaded_the_whole_way_and_the_second_load_makes_no_request(zoo: Zoo, expected: dict[int, str]) -> None:
    name = zoo.card(zoo.hub_source({"generator.safetensors": SAFE}), file(SAFE))
    loaded = zoo.client("load", source=name)
    assert (loaded["class"], loaded["weights"], loaded["training"]) == ("DCGANGenerator", expected[1], False)
    assert loaded["config"]["image_size"] == 8
    assert loaded["sample"] == pytest.approx(generator().sample(2, seed=0).tensor.flatten()[:8].tolist(), abs=1e-5)
    blob = hashlib.sha256(SAFE).hexdigest()
    assert any(path.endswith(blob) for path in loaded["mapped"])
    assert zoo.hub.count(kind="cdn") == 1
    zoo.hub.forget()
    for again in (name, f"cards/{name}", name.upper()):
        assert zoo.client("load", source=again)["weights"] == expected[1]
    assert zoo.hub.requests == []


def test_training_on_never_changes_the_cached_file(zoo: Zoo) -> None:
    name = zoo.card(zoo.hub_source({"generator.safetensors": SAFE}), file(SAFE))
    assert zoo.client("train_on", source=name)["changed"]
    (found,) = zoo.client("download", source=name)["files"].values()
    assert Path(found["path"]).read_bytes() == SAFE


def test_another_revision_of_a_model(zoo: Zoo, expected: dict[int, str]) -> None:
    id, pinned = zoo.repository({"generator.safetensors": SAFE})
    newer = zoo.hub.repositories[id].commit({"generator.safetensors": OTHER}, branch="next")
    name = zoo.card({"kind": "hf", "repository": id, "revision": pinned}, file(SAFE))
    for revision, seed in (("next", 2), (newer, 2), ("main", 1), (pinned, 1)):
        assert zoo.client("load", source=f"{name}@{revision}")["weights"] == expected[seed], revision
    assert zoo.client("load", source=f"{name}@nope")["error"] == "RevisionNotFoundError"


def test_class_names_come_with_a_card_and_with_a_configuration(zoo: Zoo) -> None:
    conditional = {**GENERATOR, "num_classes": 2}
    data = safetensors_bytes(build_random(DCGANGenerator, conditional, seed=1).state_dict())
    source = zoo.hub_source({"generator.safetensors": data})
    condition = {"kind": "class", "classes": 2, "names": ["cat", "dog"]}
    name = zoo.card(source, file(data), config={"generator": conditional}, condition=condition)
    described = config(generator=conditional, class_names=["ant", "bee"])
    repository, _ = zoo.repository({"config.json": described, "generator.safetensors": data})
    for given, names in ((name, ["cat", "dog"]), (f"hf:{repository}", ["ant", "bee"])):
        loaded = zoo.client("load", source=given, sampling={"c": names[1]})
        assert loaded["class_names"] == names
    too_few = zoo.card(
        source, file(data), config={"generator": conditional}, condition={"kind": "class", "classes": 1, "names": ["x"]}
    )
    assert "1 names for 2 classes" in zoo.client("load", source=too_few)["message"]


def test_the_discriminator_of_a_card_and_a_role_that_it_lacks(zoo: Zoo) -> None:
    both = {"generator.safetensors": SAFE, "discriminator.safetensors": CRITIC}
    files = [file(SAFE), file(CRITIC, "discriminator.safetensors", "discriminator")]
    name = zoo.card(zoo.hub_source(both), *files)
    loaded = zoo.client("load", source=name, options={"role": "discriminator"})
    assert (loaded["class"], loaded["weights"]) == ("DCGANDiscriminator", load_driver.weights(discriminator()))
    lacking = zoo.client("load", source=name, options={"role": "encoder"})
    assert lacking["error"] == "CheckpointError"
    assert "has no encoder.\nIt has: generator, discriminator." in lacking["message"]
    critic_alone = zoo.card(zoo.hub_source(both), files[1])
    assert zoo.client("load", source=critic_alone)["class"] == "DCGANDiscriminator"


@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
def test_a_foreign_checkpoint_is_converted_once(zoo: Zoo, expected: dict[int, str], legacy: bool) -> None:
    content = {"netG": generator().state_dict(), "netD": discriminator().state_dict(), "epoch": 3}
    data = torch_bytes(content, _use_new_zipfile_serialization=not legacy)
    source = zoo.hub_source({"nets.pt": data})
    files = [file(data, "nets.pt", role, format="torch") for role in ("generator", "discriminator")]
    name = zoo.card(source, *files, config={})
    assert zoo.client("load", source=name)["weights"] == expected[1]
    zoo.hub.forget()
    again = zoo.client("load", source=name)
    assert again["weights"] == expected[1]
    assert any("/converted/" in path for path in again["mapped"])
    assert not [path for path in again["opened"] if path.endswith(("nets.pt", hashlib.sha256(data).hexdigest()))]
    assert zoo.client("load", source=name, options={"role": "discriminator"})["class"] == "DCGANDiscriminator"
    assert zoo.hub.requests == []
    assert list(zoo.client("download", source=name)["files"]) == ["nets.pt"]


def test_the_remains_of_a_conversion_are_converted_again(zoo: Zoo, expected: dict[int, str]) -> None:
    data = torch_bytes({"netG": generator(2).state_dict()})
    name = zoo.card(zoo.hub_source({"net.pt": data}), file(data, "net.pt", format="torch"), config={})
    before = set((zoo.world.home / "ganzoo" / "converted").glob("*"))
    zoo.client("load", source=name)
    (folder,) = set((zoo.world.home / "ganzoo" / "converted").glob("*")) - before
    (folder / "generator.safetensors").write_bytes(b"half a fi")
    assert zoo.client("load", source=name)["weights"] == expected[2]
    (folder / "config.json").unlink()
    assert zoo.client("load", source=name)["weights"] == expected[2]
    assert (folder / "config.json").is_file()


def test_a_conversion_that_cannot_be_kept_costs_a_line_only(zoo: Zoo, expected: dict[int, str]) -> None:
    data = torch_bytes({"state_dict": generator(2).state_dict()})
    name = zoo.card(zoo.hub_source({"net.pt": data}), file(data, "net.pt", format="torch"), config={})
    home = zoo.world.home / "elsewhere"
    home.mkdir()
    (home / "converted").write_text("in the way")
    client = zoo.start(GANZOO_HOME=str(home))
    loaded = client("load", source=name)
    assert loaded["weights"] == expected[2]
    (warning,) = loaded["warnings"]
    assert "CacheWarning: The converted weights could not be kept" in warning


def test_a_foreign_checkpoint_that_is_hostile_is_refused(zoo: Zoo) -> None:
    data = (Path(__file__).parent / "golden" / "malicious.pkl").read_bytes()
    name = zoo.card(zoo.hub_source({"net.pkl": data}), file(data, "net.pkl", format="pickle"), config={})
    refused = zoo.client("load", source=name)
    assert refused["error"] == "HostileFileError"
    assert "posix.system" in refused["message"]


def test_weights_of_an_https_server(zoo: Zoo, expected: dict[int, str]) -> None:
    url = zoo.hub.publish("official/generator.safetensors", SAFE).rpartition("/")[0]
    name = zoo.card({"kind": "https", "url": url}, file(SAFE))
    assert zoo.client("load", source=name)["weights"] == expected[1]
    assert zoo.hub.count(kind="file") == 1
    zoo.hub.forget()
    assert zoo.client("load", source=name)["weights"] == expected[1]
    assert zoo.hub.requests == []
    refused = zoo.client("load", source=f"{name}@main")
    assert refused["error"] == "InvalidValueError"
    assert "is not on the Hub" in refused["message"]


def test_a_mirror_helps_and_says_so(zoo: Zoo) -> None:
    data = safetensors_bytes(generator(7).state_dict())
    gone = {"kind": "hf", "repository": "someone/gone", "revision": "0" * 40}
    name = zoo.card(gone, file(data), mirrors=[zoo.hub_source({"generator.safetensors": data})])
    loaded = zoo.client("load", source=name)
    assert loaded["weights"] == load_driver.weights(generator(7))
    assert any("came from the mirror" in line for line in loaded["log"])


def test_wrong_bytes_are_an_integrity_error_and_nothing_usable_is_kept(zoo: Zoo) -> None:
    served = safetensors_bytes(generator(8).state_dict())
    pinned = file(served) | {"sha256": hashlib.sha256(b"pinned").hexdigest()}
    name = zoo.card(zoo.hub_source({"generator.safetensors": served}), pinned)
    failed = zoo.client("load", source=name)
    assert failed["error"] == "IntegrityError"
    assert pinned["sha256"] in failed["message"]
    assert hashlib.sha256(served).hexdigest() in failed["message"]
    kept = [f for f in zoo.world.home.rglob("*") if f.is_file() and f.stat().st_size == len(served)]
    assert not [f for f in kept if f.read_bytes() == served]
    told = zoo.client("command", arguments=["generate", name, "-o", str(zoo.world.home / "grid.png")])
    assert told["code"] == 1
    assert told["err"].startswith("Error: generator.safetensors of someone/")
    assert "Traceback" not in told["err"]
    assert not (zoo.world.home / "grid.png").exists()


def test_a_model_of_a_plugin_that_is_missing_gives_the_pip_command_before_any_download(zoo: Zoo) -> None:
    name = zoo.card(zoo.hub_source({"generator.safetensors": SAFE}), file(SAFE), plugin="acme", distribution="ganzoo-acme>=2")
    failed = zoo.client("load", source=name)
    assert failed["error"] == "PluginMissingError"
    assert failed["message"].endswith('pip install "ganzoo-acme>=2"')
    told = zoo.client("command", arguments=["generate", name, "-o", str(zoo.world.home / "grid.png")])
    assert (told["code"], told["err"]) == (1, f"Error: {failed['message']}\n")
    assert zoo.hub.requests == []


def test_a_licence_that_forbids_selling_is_told_once(zoo: Zoo) -> None:
    licence = {"weights": "CC-BY-NC-4.0", "code": "MIT", "commercial": False}
    name = zoo.card(zoo.hub_source({"generator.safetensors": SAFE}), file(SAFE), licence=licence, aliases=["gan-alias"])
    told = [zoo.client("load", source=source)["log"] for source in (name, "gan-alias", name)]
    assert ["CC-BY-NC-4.0" in line and "non-commercial" in line for line in told[0]] == [True]
    assert told[1:] == [[], []]


def test_without_a_network(zoo: Zoo, expected: dict[int, str]) -> None:
    here = zoo.card(zoo.hub_source({"generator.safetensors": SAFE}), file(SAFE))
    away = safetensors_bytes(generator(9).state_dict())
    missing = zoo.card(zoo.hub_source({"generator.safetensors": away}), file(away))
    id, _ = zoo.repository({"config.json": config(), "generator.safetensors": OTHER})
    for source in (here, f"hf:{id}"):
        zoo.client("load", source=source)
    zoo.hub.forget()
    offline = zoo.start(HF_HUB_OFFLINE="1")
    assert offline("load", source=here)["weights"] == expected[1]
    assert offline("load", source=f"hf:{id}")["weights"] == expected[2]
    failed = offline("load", source=missing)
    assert failed["error"] == "OfflineError"
    assert "HF_HUB_OFFLINE" in failed["message"]
    assert offline("command", arguments=["download", missing])["code"] == 1
    assert zoo.hub.requests == []
    zoo.hub.fault("reset")  # not offline, but nobody answers
    cut = zoo.client("load", source=f"hf:{id}")
    assert cut["weights"] == expected[2]
    assert ["using the cached copy" in line for line in cut["warnings"]] == [True]
    assert zoo.client("load", source=missing)["error"] == "UnreachableError"


# --- from any repository ----------------------------------------------------------------------------------------------


def test_a_repository_in_our_layout(zoo: Zoo, expected: dict[int, str]) -> None:
    id, first = zoo.repository({"config.json": config(), "generator.safetensors": SAFE})
    zoo.hub.repositories[id].tag("v1", first)
    zoo.hub.repositories[id].commit({"generator.safetensors": OTHER})
    for source, seed in ((f"hf:{id}", 2), (f"hf:{id}@v1", 1), (f"hf:{id}@{first}", 1)):
        assert zoo.client("load", source=source)["weights"] == expected[seed], source
    zoo.hub.forget()
    assert zoo.client("load", source=f"hf:{id}@{first}")["weights"] == expected[1]
    assert zoo.hub.requests == []


def test_a_push_between_the_requests_does_not_mix_two_models(zoo: Zoo, expected: dict[int, str]) -> None:
    id, _ = zoo.repository({"config.json": config(), "generator.safetensors": SAFE})
    wider = generator().config | {"width": 8}
    delay = zoo.hub.fault("delay", kind="blob", seconds=1.0, times=1)
    zoo.client.start("load", source=f"hf:{id}")
    wait_for(lambda: delay.hits)  # the commit is resolved, and the old config.json on its way
    zoo.hub.repositories[id].commit({"config.json": config(generator=wider), "generator.safetensors": b"of another width"})
    loaded = zoo.client.finish()
    assert (loaded["config"]["width"], loaded["weights"]) == (4, expected[1])


def test_a_repository_with_a_discriminator_alone(zoo: Zoo) -> None:
    alone = config(generator=None, discriminator=DISCRIMINATOR)
    id, _ = zoo.repository({"config.json": alone, "discriminator.safetensors": CRITIC})
    assert zoo.client("load", source=f"hf:{id}")["class"] == "DCGANDiscriminator"
    failed = zoo.client("load", source=f"hf:{id}", options={"role": "generator"})
    assert failed["message"] == f"hf:{id} has no generator.\nIt has: discriminator."


@pytest.mark.parametrize(
    ("content", "error", "words"),
    [
        (b'{"model_type": "bert", "architectures": ["BertModel"]}', "CheckpointError", "is not in ganzoo's layout"),
        (b'{"_class_name": "UNet2DModel", "library_name": "diffusers"}', "CheckpointError", "library_name"),
        (b"\xff\xfe not json", "CheckpointError", "is not in ganzoo's layout"),
        (b"[" * 100_000, "CheckpointError", "is not in ganzoo's layout"),
        (None, "RemoteFileNotFoundError", "download its checkpoint file and give the path"),
        (config(architecture="dcgan-of-tomorrow"), "PluginError", "no architecture 'dcgan-of-tomorrow'"),
        (config(architecture="zoo_trap:Network"), "CheckpointError", "$.architecture"),
        (config(plugin="zoo_trap"), "PluginMissingError", "make sure that you trust it. Install it: pip install"),
        (config(plugin="acme", distribution="acme[all]>=2,<3"), "PluginMissingError", 'pip install "acme[all]>=2,<3"'),
        (config(plugin="acme", distribution='x"; touch sprung; "'), "CheckpointError", "$.distribution"),
        (config(plugin="acme", distribution="--index-url=http://x y"), "CheckpointError", "$.distribution"),
        (config(plugin="\x1b[2J"), "CheckpointError", "$.plugin"),
        (config(generator={"image_size": 8, "target": "zoo_trap:Network"}), "ConfigError", "'target'"),
        (config(generator=None), "CheckpointError", "has no generator"),
        (config(generator=None, encoder={}), "PluginError", "'dcgan' has no encoder"),
    ],
)  # fmt: skip
def test_a_configuration_that_cannot_be_used_imports_nothing(zoo: Zoo, content: bytes | None, error: str, words: str) -> None:
    described = {} if content is None else {"config.json": content}
    id, _ = zoo.repository({**described, "generator.safetensors": SAFE, "encoder.safetensors": SAFE})
    failed = zoo.client("load", source=f"hf:{id}")
    assert failed["error"] == error, failed.get("traceback")
    assert words in failed["message"]
    assert zoo.client("loaded_modules", prefix="zoo_trap")["modules"] == []
    assert not (zoo.site / "zoo_trap" / "sprung").exists()
    if error not in ("ConfigError", "PluginError"):
        assert zoo.hub.count(kind="cdn") == 0  # no weights were asked for


def test_weights_that_do_not_fit_their_configuration_name_the_repository(zoo: Zoo) -> None:
    id, _ = zoo.repository({"config.json": config(generator=GENERATOR | {"width": 8}), "generator.safetensors": SAFE})
    failed = zoo.client("load", source=f"hf:{id}")
    assert failed["error"] == "CheckpointError"
    assert failed["message"].startswith(f"hf:{id} cannot be loaded. These weights do not fit DCGANGenerator.")


# --- downloading ------------------------------------------------------------------------------------------------------


def test_downloading_a_model_and_a_repository(zoo: Zoo) -> None:
    name = zoo.card(
        zoo.hub_source({"generator.safetensors": SAFE, "discriminator.safetensors": CRITIC}),
        file(SAFE),
        file(CRITIC, "discriminator.safetensors", "discriminator"),
    )
    found = zoo.client("download", source=name)["files"]
    assert {key: Path(f["path"]).read_bytes() for key, f in found.items()} == {
        "generator.safetensors": SAFE,
        "discriminator.safetensors": CRITIC,
    }
    assert list(zoo.client("download", source=name, options={"role": "generator"})["files"]) == ["generator.safetensors"]
    assert zoo.client("download", source=name, options={"role": "encoder"})["error"] == "CheckpointError"
    id, _ = zoo.repository({"config.json": config(), "generator.safetensors": SAFE})
    assert list(zoo.client("download", source=f"hf:{id}")["files"]) == ["config.json", "generator.safetensors"]
    assert zoo.client("download", source=f"hf:{id}", options={"role": "discriminator"})["error"] == "CheckpointError"
    assert zoo.client("download", source=".")["error"] == "InvalidValueError"


@pytest.mark.parametrize("kind", ["card", "repository"])
def test_downloading_by_force_fetches_everything_again(zoo: Zoo, kind: str) -> None:
    files = {"config.json": config(), "generator.safetensors": SAFE}
    source = zoo.card(zoo.hub_source(files), file(SAFE)) if kind == "card" else f"hf:{zoo.repository(files)[0]}"
    zoo.client("download", source=source)
    zoo.hub.forget()
    zoo.client("download", source=source, options={"force": True})
    assert zoo.hub.count(kind="cdn") == 1


def test_the_download_command(zoo: Zoo) -> None:
    name = zoo.card(zoo.hub_source({"generator.safetensors": SAFE}), file(SAFE))
    told = zoo.client("command", arguments=["download", name])
    assert (told["code"], told["err"]) == (0, "")
    assert Path(told["out"].strip()).read_bytes() == SAFE
    (entry,) = json.loads(zoo.client("command", arguments=["download", name, "--json"])["out"])
    assert entry == {
        "model": name,
        "file": "generator.safetensors",
        "path": told["out"].strip(),
        "sha256": hashlib.sha256(SAFE).hexdigest(),
    }
    wrong = zoo.client("command", arguments=["download", name, "no-such-model"])
    assert wrong["code"] == 1
    assert "no-such-model" in wrong["err"]
    assert zoo.client("command", arguments=["download", "."])["code"] == 1
