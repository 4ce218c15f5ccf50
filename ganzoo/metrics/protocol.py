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
from ganzoo.models.network import first_tensor

RESIZE = "scaled bicubic with antialiasing, cropped around the centre"
_PACKAGES = ("numpy", "pillow", "torch-fidelity", "timm")
# Differences in these do not change what is measured, beyond noise and rounding; tables name them all the same.
_INCIDENTAL = ("seed", "reference", "versions", "platform")


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

    def __str__(self) -> str:
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
    """Fields in which two protocols differ: those that make figures incomparable, and those that are worth a remark."""
    grave: dict[str, tuple[str, str]] = {}
    slight: dict[str, tuple[str, str]] = {}
    for name in Protocol.__struct_fields__:
        a, b = getattr(one, name), getattr(other, name)
        if name == "metrics":  # figures of one metric do not depend on which others were asked for
            a, b = ({key: each[key] for key in sorted(a.keys() & b.keys())} for each in (a, b))
        if a != b:
            (slight if name in _INCIDENTAL else grave)[name] = (_words(a), _words(b))
    return grave, slight


def describe(reference: Dataset, space: Features, sampling: Sampling, metrics: Sequence[Metric]) -> Protocol:
    """The protocol of measuring ``sampling`` against ``reference`` in ``space``."""
    return Protocol(
        features=space.name,
        features_sha256=space.sha256,
        preprocessing=space.preprocessing,
        reference=reference.name,
        reference_sha256=reference.sha256,
        reference_samples=len(reference),
        shape=tuple(sampling.generator.output_shape),
        resize=RESIZE if reference.modality == "image" else "none",
        flips=False,
        samples=sampling.count,
        seed=sampling.seed,
        truncation=None if sampling.truncation is None else float(sampling.truncation),
        condition=sampling.condition,
        metrics={metric.id: metric.definition for metric in metrics},
        versions=versions(),
        platform=_platform(sampling),
    )


def versions() -> dict[str, str]:
    """Versions of the packages that figures depend on."""
    found = {"ganzoo": ganzoo.__version__, "torch": str(torch.__version__)}
    for name in _PACKAGES:
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
