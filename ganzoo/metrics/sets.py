"""What a metric is shown, and what a metric is."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from torch import Tensor

from ganzoo.data import Dataset
from ganzoo.errors import InvalidValueError
from ganzoo.metrics.features import FeatureBatch, Features
from ganzoo.metrics.sampling import Sampling


@dataclass(frozen=True)
class Sets:
    """The two sets that a metric compares, and all that is known of them.

    Most metrics need only ``generated.features [N, D]`` and ``reference.features [M, D]``.

    Attributes:
        generated: Features of what is measured.
        reference: Features of the real data.
        space: The feature space of both.
        examples: What is measured, as it was before the features: batches ``[B, C, H, W]`` in [-1, 1] rounded to 8 bits, or
            points ``[B, D]``. Iterating makes generated examples again; they are not kept.
        data: The real data.
        sampling: How the samples are made; None where real data are measured as a control.
        seed: For whatever the metric draws itself.
    """

    generated: FeatureBatch
    reference: FeatureBatch
    space: Features
    examples: Iterable[Tensor]
    data: Dataset
    sampling: Sampling | None
    seed: int

    @property
    def scores(self) -> tuple[Tensor, Tensor]:
        """Class scores (logits) ``[N, K]`` and ``[M, K]`` of both sets.

        Raises:
            InvalidValueError: the feature space has no classifier.
        """
        if self.generated.scores is None or self.reference.scores is None:
            raise without_classifier("A metric", self.space)
        return self.generated.scores, self.reference.scores


Compute = Callable[[Sets], Mapping[str, float]]


@dataclass(frozen=True)
class Metric:
    """A metric by its name.

    Attributes:
        id: e.g. ``fid``.
        definition: What exactly is computed; it goes into the protocol.
        compute: Gives figures by name; none where the metric does not apply, such as a path length of real data.
    """

    id: str
    definition: str
    compute: Compute

    def check(self, space: Features) -> None:
        """Refuses early what would fail after all the work.

        Raises:
            InvalidValueError: it needs class scores, and ``space`` has no classifier.
        """
        if getattr(self.compute, "needs_classes", False) and not space.classes:
            raise without_classifier(f"The metric '{self.id}'", space)


def needs_classes(compute: Compute) -> Compute:
    """Marks a metric that needs class scores: it is refused before the work where the feature space has no classifier."""
    compute.needs_classes = True  # type: ignore[attr-defined]  # a function takes attributes
    return compute


def without_classifier(what: str, space: Features) -> InvalidValueError:
    """The error of a metric that needs class scores in a space without them."""
    return InvalidValueError(
        f"{what} needs class scores, and the feature space '{space.name}' has no classifier.",
        hint="Choose a feature space with a classifier, e.g. digits, inception or timm:resnet50.",
    )
