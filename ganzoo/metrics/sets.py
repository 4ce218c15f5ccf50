"""What a metric is shown, and what a metric is."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from ganzoo.data import Dataset
from ganzoo.errors import InvalidValueError
from ganzoo.metrics.extraction import texts_of
from ganzoo.metrics.features import FeatureBatch, Features, NoFeatures
from ganzoo.metrics.sampling import Sampling
from ganzoo.metrics.words import PLAIN, Words
from ganzoo.spec import Modality


@dataclass(frozen=True)
class Sets:
    """The two sets that a metric compares, and all that is known of them.

    Most metrics need only ``generated.features [N, D]`` and ``reference.features [M, D]``; those of texts `texts` and
    `reference_texts`.

    Attributes:
        generated: Features of what is measured.
        reference: Features of the real data.
        space: The feature space of both.
        examples: What is measured, as it was before the features: batches ``[B, C, H, W]`` in [-1, 1] rounded to 8 bits, or
            points ``[B, D]``; iterating makes generated examples again, they are not kept. Or batches of texts.
        data: The real data.
        sampling: How the samples are made; None where real data are measured as a control.
        seed: For whatever the metric draws itself.
        held_out: Real data that the model was not trained on, where some are given; none where they are what is measured.
        words: How texts are cut into words.
    """

    generated: FeatureBatch
    reference: FeatureBatch
    space: Features
    examples: Iterable[Any]
    data: Dataset
    sampling: Sampling | None
    seed: int
    held_out: Dataset | None = None
    words: Words = PLAIN

    @property
    def scores(self) -> tuple[Tensor, Tensor]:
        """Class scores (logits) ``[N, K]`` and ``[M, K]`` of both sets.

        Raises:
            InvalidValueError: the feature space has no classifier.
        """
        if self.generated.scores is None or self.reference.scores is None:
            raise without_classifier("A metric", self.space)
        return self.generated.scores, self.reference.scores

    @property
    def texts(self) -> list[str]:
        """What is measured, text by text. Only of texts."""
        return [text for batch in self.examples for text in batch]

    @property
    def sentences(self) -> list[list[str]]:
        """What is measured, each text as its words. Only of texts."""
        cut = self.words.split if self.sampling is None else self.words.split_sample
        return [cut(text) for text in self.texts]

    @property
    def reference_texts(self) -> list[str]:
        """The real texts. Only of texts."""
        return texts_of(self.data)

    @property
    def held_out_texts(self) -> list[str] | None:
        """The held-out texts, where there are some. Only of texts."""
        return None if self.held_out is None else texts_of(self.held_out)


Compute = Callable[[Sets], Mapping[str, float]]


@dataclass(frozen=True)
class Needs:
    """What a metric cannot do without.

    Attributes:
        features: Features of both sets.
        classes: Class scores of both sets.
        modalities: The only kinds of examples that it measures; any where empty.
        held_out: It also looks at held-out data where some are given, which therefore belong to the protocol.
        sampling: Called before the work with how samples will be made; raises InvalidValueError where it cannot measure such.
    """

    features: bool = True
    classes: bool = False
    modalities: tuple[Modality, ...] = ()
    held_out: bool = False
    sampling: Callable[[Sampling], None] | None = None


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

    @property
    def needs(self) -> Needs:
        """What it cannot do without: features, unless it was marked by `needs`."""
        found: Needs = getattr(self.compute, "needs", Needs())
        return found

    def check(self, space: Features, modality: Modality | None = None) -> None:
        """Refuses early what would fail after all the work.

        Args:
            space: The feature space.
            modality: What is measured, where it is known.

        Raises:
            InvalidValueError: it measures other things, or needs features or class scores, and ``space`` has none.
        """
        needed = self.needs
        if modality is not None and needed.modalities and modality not in needed.modalities:
            raise InvalidValueError(f"The metric '{self.id}' measures {' and '.join(needed.modalities)}, not {modality}.")
        if needed.features and isinstance(space, NoFeatures):
            raise InvalidValueError(
                f"The metric '{self.id}' needs a feature space.",
                hint="Name one, e.g. minilm for texts or digits for images; `ganzoo plugins` lists them.",
            )
        if needed.classes and not space.classes:
            raise without_classifier(f"The metric '{self.id}'", space)

    def check_sampling(self, sampling: Sampling) -> None:
        """As `check`, where it is known how samples will be made.

        Raises:
            InvalidValueError: it cannot measure such samples.
        """
        if self.needs.sampling is not None:
            self.needs.sampling(sampling)


def needs(
    *,
    features: bool = True,
    classes: bool = False,
    modalities: tuple[Modality, ...] = (),
    held_out: bool = False,
    sampling: Callable[[Sampling], None] | None = None,
) -> Callable[[Compute], Compute]:
    """Marks what a metric needs, see `Needs`, so that it is refused before the work where that is missing."""

    def mark(compute: Compute) -> Compute:
        found = Needs(features, classes, modalities, held_out, sampling)
        compute.needs = found  # type: ignore[attr-defined]  # a function takes attributes
        return compute

    return mark


def needs_classes(compute: Compute) -> Compute:
    """Marks a metric that needs class scores: it is refused before the work where the feature space has no classifier."""
    return needs(classes=True)(compute)


def without_classifier(what: str, space: Features) -> InvalidValueError:
    """The error of a metric that needs class scores in a space without them."""
    return InvalidValueError(
        f"{what} needs class scores, and the feature space '{space.name}' has no classifier.",
        hint="Choose a feature space with a classifier, e.g. digits, inception or timm:resnet50.",
    )
