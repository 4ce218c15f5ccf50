"""The documentation's tables say what the code has: names, default weights, options."""

import inspect
import json
import re
from pathlib import Path
from typing import Any

import pytest

from ganzoo.training.builtin import CONSTRAINTS, LOSSES, REGULARIZERS
from ganzoo.training.parts import find

PAGE = (Path(__file__).parents[3] / "docs" / "losses.md").read_text(encoding="utf-8")
ROWS = {cells[0].strip("`"): cells for cells in ([c.strip() for c in line.strip("|").split("|")] for line in PAGE.splitlines())}


def test_every_part_has_its_row() -> None:
    assert {part.id for part in (*LOSSES, *REGULARIZERS, *CONSTRAINTS)} <= ROWS.keys()


@pytest.mark.parametrize("name", [part.id for part in REGULARIZERS])
def test_the_row_of_a_regulariser_is_true(name: str) -> None:
    _, player, _, weight, options, _ = ROWS[name]
    kind: Any = find("regulariser", name)
    assert player == {"discriminator": "D", "generator": "G"}[kind.role]
    if options != "the same":
        assert float(weight.split()[0]) == kind.default_weight
        told = dict(re.findall(r"`(\w+)=([\w.]+)`", options))
        defaults = {p.name: p.default for p in inspect.signature(kind).parameters.values()}
        assert told.keys() == defaults.keys()
        for key, value in told.items():
            assert defaults[key] == (value if value.isalpha() and value not in ("true", "false") else json.loads(value))
