"""``ganzoo export``."""

import json
from pathlib import Path

from tests.cli.conftest import Run


def test_export_and_generate(run: Run, here: Path, model: Path) -> None:
    told = run("export", model, "-o", "netG.pth")
    assert (told.code, told.err) == (0, "")
    assert told.out.startswith("netG.pth: generator, layout pytorch-tutorial (")
    for source, output in ((model, "a.png"), ("netG.pth", "b.png")):
        assert run("generate", source, "--seed", 1, "-o", output).code == 0
    assert (here / "a.png").read_bytes() == (here / "b.png").read_bytes()
    again = run("export", model, "-o", "netG.pth")
    assert again.code == 1
    assert "netG.pth is there already." in again.err
    report = json.loads(run("export", model, "-o", "netG.pth", "--overwrite", "--json").out)
    assert report == {"file": "netG.pth", "layout": "pytorch-tutorial", "role": "generator"}


def test_export_what_is_not_there(run: Run, here: Path, model: Path) -> None:
    for arguments, code, words in (
        ([model, "-o", "g.zip"], 1, "ends in .safetensors"),
        ([model, "-o", "no.pth", "--layout", "x"], 1, "There is no layout named 'x'."),
        ([model, "-o", "no.pth", "--role", "discriminator"], 1, "has no discriminator"),
        ([model, "-o", "no.pth", "--role", "judge"], 2, "Invalid value for '--role'"),
        (["zebra", "-o", "no.pth"], 1, "There is no model named 'zebra'"),
        ([model], 2, "Missing option '-o'"),
    ):
        told = run("export", *arguments)
        assert told.code == code
        assert words in told.err
    assert not (here / "no.pth").exists()
