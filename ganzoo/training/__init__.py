"""Training: one engine for every family, recipes as data, run directories that survive interruption."""

from ganzoo.training.augment import AUGMENTATIONS
from ganzoo.training.engine import Engine, Progress
from ganzoo.training.losses import LOSSES, AdversarialLoss
from ganzoo.training.overrides import apply_overrides, check_recipe
from ganzoo.training.reporting import PlainLines, Reporter, Silent, terminal_reporter
from ganzoo.training.run_directory import DataRecord, Intervals, RunConfig, RunDirectory
from ganzoo.training.runner import Run, describe, resume, train

__all__ = [
    "AUGMENTATIONS",
    "LOSSES",
    "AdversarialLoss",
    "DataRecord",
    "Engine",
    "Intervals",
    "PlainLines",
    "Progress",
    "Reporter",
    "Run",
    "RunConfig",
    "RunDirectory",
    "Silent",
    "apply_overrides",
    "check_recipe",
    "describe",
    "resume",
    "terminal_reporter",
    "train",
]
