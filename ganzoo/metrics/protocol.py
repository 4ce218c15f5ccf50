"""What is needed to repeat an evaluation, and to know whether two of them may stand in one table."""

import importlib.metadata
import platform
from collections.abc import Sequence

import msgspec
import torch

import ganzoo
from ganzoo.data import Dataset
from ganzoo.metrics.features import Features
from ganzoo.metrics.sampling import Sampling
from ganzoo.metrics.sets import Metric
from ganzoo.metrics.words import Words
from ganzoo.models.network import first_tensor

RESIZE = "scaled bicubic with antialiasing, cropped around the centre"
_PACKAGES = ("numpy", "pillow", "torch-fidelity", "timm")
_TEXT_PACKAGES = ("transformers", "tokenizers", "mauve-text")
# Differences in these do not change what is measured, beyond noise and rounding; tables name them all the same.
_INCIDENTAL = ("seed", "reference", "versions", "platform")
AXIS = "temperature"  # tables have a column of it: figures over it are a curve


class Protocol(msgspec.Struct, frozen=True, kw_only=True):
    """How figures came about.

    Attributes:
        features: Name of the feature space.
        features_sha256: Hash of its weights.
        preprocessing: How examples are brought to it.
        reference: Name of the real data.
        reference_sha256: Hash of its content.
        reference_samples: How many.
        shape: Of one example, ``(C, H, W)`` or ``(D,)``.
        resize: How pictures of the reference are brought to that shape.
        flips: Whether mirrored pictures were added to the reference.
        samples: How many were generated.
        seed: Of the samples.
        truncation: Of the latents.
        condition: Which classes were generated.
        temperature: Of the draws, where the model has one.
        top_k: Tokens that a draw was limited to.
        top_p: Probability that a draw was limited to.
        words: How texts were cut into words; empty where there are none.
        held_out: Name, hash and number of the held-out texts that a metric looked at; empty where none did.
        metrics: Definition of each metric.
        versions: Of the packages that compute.
        platform: System, processor, Python, and the accelerator where the samples were made on one.
    """

    features: str
    features_sha256: str
    preprocessing: str
    reference: str
    reference_sha256: str
    reference_samples: int
    shape: tuple[int, ...]
    resize: str
    flips: bool
    samples: int
    seed: int
    truncation: float | None
    condition: str
    metrics: dict[str, str]
    versions: dict[str, str]
    platform: str
    temperature: float | None = None
    top_k: int | None = None
    top_p: float | None = None
    words: str = ""
    held_out: str = ""

    def __str__(self) -> str:
        return self._of_texts() if self.words else self._of_numbers()

    def _of_texts(self) -> str:
        space = (
            "no features"
            if self.features == "none"
            else f"features {self.features} ({self.features_sha256[:12]}; {self.preprocessing})"
        )
        held_out = f", held-out {self.held_out}" if self.held_out else ""
        drawn = {"temperature": self.temperature, "top-k": self.top_k, "top-p": self.top_p}
        draws = "".join(f", {name} {value:g}" for name, value in drawn.items() if value is not None)
        return (
            f"{space}, reference {self.reference} ({self.reference_sha256[:12]}, {self.reference_samples} texts){held_out}, "
            f"{self.samples} samples of seed {self.seed}{draws}; {self.words}"
        )

    def _of_numbers(self) -> str:
        other = "" if self.features == "inception" else "; not Inception"
        size = "x".join(str(n) for n in (*self.shape[1:], self.shape[0]))
        resize = f", {self.resize}" if len(self.shape) == 3 else ""
        truncation = "" if self.truncation is None else f", truncation {self.truncation:g}"
        condition = "" if self.condition == "unconditional" else f", {self.condition}"
        return (
            f"features {self.features} ({self.features_sha256[:12]}{other}; {self.preprocessing}), reference {self.reference} "
            f"({self.reference_sha256[:12]}, {self.reference_samples} examples, {size}{resize}, "
            f"{'with' if self.flips else 'no'} flips), {self.samples} samples of seed {self.seed}{truncation}{condition}"
        )

    @property
    def versions_text(self) -> str:
        """Packages and platform in one line."""
        return ", ".join([*(f"{name} {version}" for name, version in self.versions.items()), self.platform])


def differences(one: Protocol, other: Protocol) -> tuple[dict[str, tuple[str, str]], dict[str, tuple[str, str]]]:
    """Fields in which two protocols differ: those that make figures incomparable, and those that are worth a remark.

    The temperature is neither.
    """
    grave: dict[str, tuple[str, str]] = {}
    slight: dict[str, tuple[str, str]] = {}
    for name in Protocol.__struct_fields__:
        if name == AXIS:
            continue
        a, b = getattr(one, name), getattr(other, name)
        if name == "metrics":  # figures of one metric do not depend on which others were asked for
            a, b = ({key: each[key] for key in sorted(a.keys() & b.keys())} for each in (a, b))
        if a != b:
            (slight if name in _INCIDENTAL else grave)[name] = (_words(a), _words(b))
    return grave, slight


def describe(
    reference: Dataset,
    space: Features,
    sampling: Sampling,
    metrics: Sequence[Metric],
    *,
    words: Words | None = None,
    held_out: Dataset | None = None,
) -> Protocol:
    """The protocol of measuring ``sampling`` against ``reference`` in ``space``; ``words`` only of texts."""
    looked_at = held_out if any(metric.needs.held_out for metric in metrics) else None
    decoding = sampling.decoding
    return Protocol(
        features=space.name,
        features_sha256=space.sha256,
        preprocessing=space.preprocessing,
        reference=reference.name,
        reference_sha256=reference.sha256,
        reference_samples=len(reference),
        shape=tuple(sampling.generator.output_shape) if words is None else (),
        resize=RESIZE if reference.modality == "image" else "none",
        flips=False,
        samples=sampling.count,
        seed=sampling.seed,
        truncation=None if sampling.truncation is None else float(sampling.truncation),
        condition=sampling.condition,
        metrics={metric.id: metric.definition for metric in metrics},
        versions=versions() if words is None else {**versions(), **text_versions()},
        platform=_platform(sampling),
        temperature=decoding.temperature,
        top_k=decoding.top_k,
        top_p=decoding.top_p,
        words="" if words is None else words.name,
        held_out="" if looked_at is None else cited(looked_at),
    )


def cited(data: Dataset) -> str:
    """Name, hash and size of a data set."""
    return f"{data.name} ({data.sha256[:12]}, {len(data)} examples)"


def versions() -> dict[str, str]:
    """Versions of the packages that figures depend on."""
    return {"ganzoo": ganzoo.__version__, "torch": str(torch.__version__), **_installed(_PACKAGES)}


def text_versions() -> dict[str, str]:
    """Versions of the packages that figures of texts depend on besides."""
    return _installed(_TEXT_PACKAGES)


def _installed(names: Sequence[str]) -> dict[str, str]:
    found = {}
    for name in names:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:  # an optional one
            continue
    return found


def _platform(sampling: Sampling) -> str:
    words = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    anchor = first_tensor(sampling.generator)
    if anchor is None or anchor.device.type == "cpu":
        return words
    name = torch.cuda.get_device_name(anchor.device) if anchor.device.type == "cuda" else anchor.device.type
    return f"{words}, {name}"


def _words(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}: {text}" for key, text in value.items()) or "none"
    if isinstance(value, tuple):
        return "x".join(str(n) for n in value)
    return "none" if value is None else str(value)
