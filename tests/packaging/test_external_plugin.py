"""A plugin of another distribution, built, installed and used as its author and its users would."""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file

from tests.support.environment import Scratch


def lines(scratch: Scratch, cwd: Path, *arguments: str) -> str:
    done = scratch.run("-m", "ganzoo", *arguments, cwd=cwd)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_plugin_is_discovered(scratch: Scratch, tmp_path: Path) -> None:
    states = {s["name"]: s for s in json.loads(lines(scratch, tmp_path, "plugins", "--json"))}
    assert states["acme-dots"]["distribution"] == "ganzoo-acme-dots"
    assert states["acme-dots"]["state"] == "ok"
    assert states["acme-dots"]["brings"] == [
        "architecture dots",
        "dataset acme-dots",
        "loss acme-exponential",
        "regularizer acme-drift",
        "augmentation acme-negative",
        "command count-dots",
    ]


def test_its_command_and_its_word_to_the_doctor(scratch: Scratch, tmp_path: Path) -> None:
    assert lines(scratch, tmp_path, "count-dots") == "one\n"
    assert json.loads(lines(scratch, tmp_path, "doctor", "--offline", "--json"))["plugins"]["acme-dots: dots"] == "sharp"


def test_a_checkpoint_in_its_layout_is_recognised_converted_and_sampled(scratch: Scratch, tmp_path: Path) -> None:
    torch.manual_seed(0)
    torch.save({"state_dict": {"fc.weight": torch.randn(36, 4), "fc.bias": torch.randn(36)}}, tmp_path / "dots.pth")
    lines(scratch, tmp_path, "convert", "dots.pth", "-o", "model")
    config = json.loads((tmp_path / "model" / "config.json").read_text())
    assert config["architecture"] == "dots"
    assert config["plugin"] == "acme-dots"
    assert config["distribution"] == "ganzoo-acme-dots"
    assert config["generator"] == {"size": 6}
    for source in ("dots.pth", "model"):
        lines(scratch, tmp_path, "generate", source, "-n", "3", "--seed", "5", "-o", f"{source}.png")
    assert (tmp_path / "dots.pth.png").read_bytes() == (tmp_path / "model.png").read_bytes()


def test_its_card_brings_a_model_with_bundled_weights(scratch: Scratch, tmp_path: Path) -> None:
    card = json.loads(lines(scratch, tmp_path, "show", "dots-acme", "--json"))
    assert card["source"] == {"kind": "bundled", "package": "ganzoo_acme_dots"}
    program = "import ganzoo; s = ganzoo.load('dots-acme').sample(5, seed=1); print(s.tensor.amax((1, 2, 3)).min().item())"
    done = scratch.run("-c", program, cwd=tmp_path)
    assert float(done.stdout) > -1, done.stderr


def test_without_the_plugin_its_model_names_the_pip_command(scratch: Scratch, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    config = {"library_name": "ganzoo", "ganzoo_version": "0.1.0", "architecture": "spots", "plugin": "acme-spots"}
    (folder / "config.json").write_text(json.dumps({**config, "distribution": "ganzoo-acme-spots", "generator": {}}))
    save_file({"x": torch.zeros(1)}, folder / "generator.safetensors")
    done = scratch.run("-m", "ganzoo", "generate", "./model", "-o", "x.png", cwd=tmp_path)
    assert done.returncode == 1
    assert 'pip install "ganzoo-acme-spots"' in done.stderr


def test_its_loss_regulariser_and_augmentation_take_part_in_training(scratch: Scratch, tmp_path: Path) -> None:
    settings = ["loss=acme-exponential", "regularizers=acme-drift", "augment.pipeline=acme-negative", "augment.p=0.5"]
    program = ["train", "dcgan", "--data", "acme-dots", "--out", "run", "--images", "64", "--device", "cpu"]
    for setting in [*settings, "batch_size=16"]:
        program += ["--set", setting]
    for argument in ("image_size=8", "channels=1", "width=4"):
        program += ["--config", argument]
    lines(scratch, tmp_path, *program, "--every", "log=16")
    records = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert len(records) == 4 and all(record["acme-drift"] > 0 and record["augment_p"] == 0.5 for record in records)
    assert (tmp_path / "run" / "model" / "generator.safetensors").exists()
