"""Evaluations side by side: one table only for what may be compared. And as a model card has them."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from ganzoo.metrics.bench import HELD_OUT, Measurement
from ganzoo.metrics.evaluation import Evaluation
from ganzoo.metrics.protocol import AXIS, differences


@dataclass(frozen=True)
class Table:
    """Evaluations that may be compared.

    Attributes:
        evaluations: Of equal protocols but for what is in `remarks`.
        apart: Why they may not be compared with the first table, in words; empty for the first.
        remarks: Slight differences, such as another version of torch, in words.
    """

    evaluations: tuple[Evaluation, ...]
    apart: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def headers(self) -> list[str]:
        """Titles of the columns of `rows`."""
        axis = [AXIS.upper()] if self._has_axis else []
        return ["MODEL", "MEASURED", *axis, "SAMPLES", *(name.upper() for name in self._figures)]

    @property
    def rows(self) -> list[list[str]]:
        """A row a measurement, with its temperature where there are several; controls of real data that several evaluations
        share, once. Where one name stands for several states of its weights, their hashes are told.
        """
        seen: list[Measurement] = []
        states = {(each.name, each.weights_sha256) for each in self.evaluations}
        several = {name for name, count in Counter(name for name, _ in states).items() if count > 1}
        rows = []
        for evaluation in self.evaluations:
            name = evaluation.name + (f" ({evaluation.weights_sha256[:12]})" if evaluation.name in several else "")
            for each in evaluation.measurements:
                if each.of == HELD_OUT:
                    if each in seen:
                        continue
                    seen.append(each)
                values = [_short(each.figures.get(figure)) for figure in self._figures]
                axis = [_degree(evaluation, each)] if self._has_axis else []
                rows.append(["" if each.of == HELD_OUT else name, each.of, *axis, str(each.samples), *values])
        return rows

    @property
    def protocol(self) -> str:
        """How all of it was measured; without the temperature where there are several, which stand in `rows`."""
        first = self.evaluations[0].protocol
        return str(msgspec.structs.replace(first, **{AXIS: None}) if self._has_axis else first)

    @property
    def _has_axis(self) -> bool:
        return len({evaluation.protocol.temperature for evaluation in self.evaluations}) > 1

    @property
    def _figures(self) -> list[str]:
        return list(dict.fromkeys(name for e in self.evaluations for m in e.measurements for name in m.figures))


def make_tables(evaluations: Sequence[Evaluation]) -> list[Table]:
    """As few tables as possible such that nothing stands in one that was measured in another way."""
    groups: list[list[Evaluation]] = []
    for evaluation in evaluations:
        for group in groups:
            # With all of them: two that have no metric in common tell nothing about a third.
            if not any(differences(each.protocol, evaluation.protocol)[0] for each in group):
                group.append(evaluation)
                break
        else:
            groups.append([evaluation])
    return [_table(group, groups[0]) for group in groups]


def card_metrics(evaluation: Evaluation, command: str = "") -> str:
    """The lines ``metrics = [...]`` of a card in a registry file.

    Args:
        evaluation: What was measured.
        command: How to measure it again; left out where it is not known.
    """
    words = [str(evaluation.protocol), evaluation.protocol.versions_text, *([command] if command else [])]
    protocol = json.dumps("; ".join(words), ensure_ascii=False)
    lines = []
    for each in evaluation.measurements:
        figures = ", ".join(f"{name} = {_number(value)}" for name, value in each.figures.items())
        seed = "" if each.of == HELD_OUT else f" seed = {evaluation.protocol.seed},"
        lines.append(
            f'    {{ of = "{each.of}", samples = {each.samples},{seed} source = "measured", '
            f"figures = {{ {figures} }}, protocol = {protocol} }},\n"
        )
    return f"metrics = [\n{''.join(lines)}]"


def _table(group: list[Evaluation], first: list[Evaluation]) -> Table:
    grave: dict[str, tuple[str, str]] = {}
    for one in first if group is not first else ():
        for other in group:
            grave = {**differences(one.protocol, other.protocol)[0], **grave}
    remarks: dict[str, None] = {}
    for other in group[1:]:
        _, slight = differences(group[0].protocol, other.protocol)
        remarks |= {f"{name}: {a} for {group[0].name}, {b} for {other.name}": None for name, (a, b) in slight.items()}
    return Table(tuple(group), tuple(f"{name}: {b} instead of {a}" for name, (a, b) in grave.items()), tuple(remarks))


def _degree(evaluation: Evaluation, measured: Measurement) -> str:
    value = evaluation.protocol.temperature
    return "-" if value is None or measured.of == HELD_OUT else f"{value:g}"


def _short(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if abs(value) >= 0.1 or value == 0 else f"{value:.3g}"


def _number(value: float) -> str:
    return repr(round(value, 4) if abs(value) >= 0.1 else float(f"{value:.4g}"))
