"""One table for a model against an oracle, never without the controls that any claim must beat.

From the same start a constant reward with no discriminator at all lowers NLL_oracle (LantaoYu/SeqGAN#21), and so does drawing
the baseline's words at a lower temperature (Caccia et al. 2020). Both cost test likelihood. So a report cannot be made without
them, and says how a model compares with the baseline at equal NLL_test.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from ganzoo.errors import InvalidValueError
from ganzoo.models import TextGenerator
from ganzoo.text.bench.curve import Curve, Point, Verdict, judge
from ganzoo.text.oracle.estimate import Estimate
from ganzoo.text.oracle.measures import Measures, Yardstick
from ganzoo.text.oracle.temperature import SentenceModel, Tempered

Kind = Literal["model", "baseline", "temperature", "control", "oracle"]
TEMPERATURES = (1.0, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7)
COLDER = (0.6, 0.5, 0.4, 0.3)  # added one by one where a model's NLL_test is higher than all of the above
CONSTANT = "constant reward"


@dataclass(frozen=True)
class Controls:
    """What every report has besides the models.

    Attributes:
        mle: The maximum-likelihood generator at its best epoch by held-out NLL; models start from it or from one like it.
        constant: The start after as many adversarial steps with a reward of 1 whatever was generated.
        note: How `mle` was chosen, e.g. ``epoch 5 of 20``.
    """

    mle: TextGenerator
    constant: TextGenerator
    note: str = "best epoch"


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    name: str
    kind: Kind
    measures: Measures
    temperature: float = 1.0

    @property
    def point(self) -> Point:
        """The row in the quality-diversity plane."""
        return Point(self.name, self.measures.nll_test, self.measures.nll_oracle, self.temperature)


@dataclass(frozen=True)
class Report:
    """Everything measured against one oracle.

    Attributes:
        oracle: Its name.
        entropy: Of the oracle, nats per word, on the held-out sentences.
        held_out: How many of those.
        samples: How many sentences of each model were drawn.
        seed: Of the draws.
        rows: Models first, then the baseline through its temperatures, the control, and the oracle itself.
        verdicts: Each model, and the control, beside the baseline's curve.
        notes: What else a reader must know.
    """

    oracle: str
    entropy: Estimate
    held_out: int
    samples: int
    seed: int
    rows: tuple[Row, ...]
    verdicts: tuple[Verdict, ...]
    notes: tuple[str, ...]

    @property
    def curve(self) -> Curve:
        """The baseline through its temperatures."""
        return Curve([row.point for row in self.rows if row.kind in ("baseline", "temperature")])


def make_report(
    yardstick: Yardstick,
    models: Mapping[str, TextGenerator],
    controls: Controls,
    *,
    oracle: str,
    temperatures: Sequence[float] = TEMPERATURES,
    samples: int = 10_000,
    seed: int = 0,
    progress: Callable[[str], object] = lambda name: None,
) -> Report:
    """Measures ``models`` and the controls with the same number of samples of the same seed.

    Args:
        yardstick: The oracle and held-out sentences of it.
        models: By the name that the table gives them.
        controls: See `Controls`.
        oracle: Its name.
        temperatures: Of the baseline; 1 is added where it is missing, and colder ones while a model lies beyond the coldest.
        samples: Sentences drawn of each.
        seed: Of the draws.
        progress: Told the name of each row before it is measured.

    Raises:
        InvalidValueError: no model, a name that a control has, or generators that the yardstick does not fit.
    """
    _check_names(models)

    def row(name: str, kind: Kind, model: SentenceModel, temperature: float = 1.0) -> Row:
        progress(name)
        return Row(name, kind, yardstick.measure(model, samples=samples, seed=seed), temperature)

    def cooled(temperature: float) -> Row:
        warm = temperature == 1.0
        name = f"MLE ({controls.note})" if warm else f"MLE, T = {temperature:g}"
        return row(name, "baseline" if warm else "temperature", Tempered(controls.mle, temperature), temperature)

    judged = [row(name, "model", Tempered(model)) for name, model in models.items()]
    judged.append(row(CONSTANT, "control", Tempered(controls.constant)))
    sweep = [cooled(temperature) for temperature in sorted({1.0, *temperatures}, reverse=True)]
    for temperature in COLDER:
        if _covers(sweep, judged) or temperature >= sweep[-1].temperature:
            continue
        sweep.append(cooled(temperature))
    rows = (*judged[:-1], *sweep, judged[-1], row("the oracle itself", "oracle", yardstick.oracle))
    curve = Curve([each.point for each in sweep])
    verdicts = tuple(judge(each.point, curve) for each in judged)
    notes = _notes(rows, yardstick.entropy)
    return Report(oracle, yardstick.entropy, len(yardstick.held_out), samples, seed, rows, verdicts, notes)


def _check_names(models: Mapping[str, TextGenerator]) -> None:
    if not models:
        raise InvalidValueError("There is no model to report on.")
    for name in models:
        if name == CONSTANT or name.startswith("MLE") or name == "the oracle itself":
            raise InvalidValueError(f"A model cannot be called '{name}' in a report: a control has that name.")


def _covers(sweep: Sequence[Row], judged: Sequence[Row]) -> bool:
    """Whether the sweep reaches the highest NLL_test among the models."""
    reached = max(row.measures.nll_test.value for row in sweep)
    return all(row.measures.nll_test.value <= reached for row in judged)


def _notes(rows: Sequence[Row], entropy: Estimate) -> tuple[str, ...]:
    notes = []
    for row in rows:
        quality = row.measures.nll_oracle
        if row.kind in ("model", "control") and quality.value < entropy.value - 2 * (quality - entropy).error:
            notes.append(
                f"{row.name}: NLL_oracle {quality.value:.3f} is below the oracle's entropy {entropy.value:.3f}: it says likely "
                f"sentences too often, which is collapse and no success."
            )
    return tuple(notes)
