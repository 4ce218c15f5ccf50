"""A report as a table, in words, as JSON and as CSV."""

import csv
import io
from pathlib import Path
from typing import Any

import msgspec

from ganzoo.errors import OutputError
from ganzoo.paths import atomic_path, check_parent
from ganzoo.text.bench.drawing import draw_curve
from ganzoo.text.bench.report import Report, Row
from ganzoo.text.oracle.estimate import Estimate

HEADERS = (
    *("MODEL", "NLL_ORACLE", "NLL_TEST", "OWN ENTROPY", "KL(P||Q)", "KL(Q||P)", "JS"),
    *("DISTINCT-2", "UNIQUE"),
)
LEGEND = (
    "P is the oracle, Q the model. NLL, entropy and KL in nats per word, JS in nats per sentence (at most 0.693). Lower is\n"
    "better, except for the last two columns and the own entropy, which should be the oracle's."
)
FILES = ("report.json", "report.csv", "report.txt", "curve.png")


def table_rows(report: Report) -> list[list[str]]:
    """The cells of each row, under `HEADERS`."""
    return [[row.name, *(_cell(value) for value in _figures(row).values())] for row in report.rows]


def report_text(report: Report) -> str:
    """The whole report for people: table, legend, verdicts and notes."""
    cells = [list(HEADERS), *table_rows(report)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(HEADERS))]
    lines = [_line(line, widths) for line in cells]
    facts = (
        f"Oracle {report.oracle}: entropy {report.entropy} nats per word on {report.held_out:,} held-out sentences. "
        f"{report.samples:,} samples of each model, seed {report.seed}."
    )
    said = [verdict.words for verdict in report.verdicts]
    return "\n".join([facts, "", *lines, "", LEGEND, "", *said, *report.notes, ""])


def report_json(report: Report) -> dict[str, Any]:
    """The whole report as JSON values; estimates as ``{"value": …, "error": …}``."""
    converted = msgspec.to_builtins(report)
    assert isinstance(converted, dict)
    return converted


def report_csv(report: Report) -> str:
    """A line a row; every estimate has a second column with its standard error."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    for index, row in enumerate(report.rows):
        flat: dict[str, Any] = {"name": row.name, "kind": row.kind, "temperature": row.temperature}
        for name, value in _figures(row).items():
            flat |= {name: value.value, f"{name}_error": value.error} if isinstance(value, Estimate) else {name: value}
        if index == 0:
            writer.writerow(flat)
        writer.writerow(flat.values())
    return out.getvalue()


def write_report(report: Report, folder: str | Path) -> list[Path]:
    """Writes `FILES` into ``folder``, which is made where it is missing; gives their paths.

    Raises:
        OutputError: the folder cannot be made or written.
    """
    folder = Path(folder)
    check_parent(folder)
    data = msgspec.json.format(msgspec.json.encode(report_json(report)), indent=2) + b"\n"
    contents = (data, report_csv(report).encode(), report_text(report).encode(), None)
    targets = [folder / name for name in FILES]
    try:
        folder.mkdir(exist_ok=True)
        for target, content in zip(targets, contents, strict=True):
            with atomic_path(target) as temporary:
                if content is None:
                    draw_curve(report).save(temporary, format="PNG", optimize=True)
                else:
                    temporary.write_bytes(content)
    except OSError as e:
        raise OutputError(f"The report could not be written into {folder}: {e.strerror or e}.") from e
    return targets


def _figures(row: Row) -> dict[str, Estimate | float]:
    """In the order of `HEADERS`."""
    measures = row.measures
    names = ("nll_oracle", "nll_test", "own_entropy", "kl_oracle_model", "kl_model_oracle", "js", "distinct_2", "unique")
    return {name: getattr(measures, name) for name in names}


def _cell(value: Estimate | float) -> str:
    return f"{value.value if isinstance(value, Estimate) else value:.3f}"


def _line(cells: list[str], widths: list[int]) -> str:
    name, *figures = cells
    return "  ".join([f"{name:<{widths[0]}}", *(f"{cell:>{width}}" for cell, width in zip(figures, widths[1:], strict=True))])
