"""Training: one engine for every family, recipes as data, run directories that survive interruption."""

from ganzoo.training.augment import AUGMENTATIONS, Augmentation, build_pipeline
from ganzoo.training.builtin import CONSTRAINTS, LOSSES, REGULARIZERS
from ganzoo.training.draws import Draws
from ganzoo.training.engine import Engine
from ganzoo.training.freezing import frozen
from ganzoo.training.game import Game, Progress
from ganzoo.training.loop import Evaluator, Run
from ganzoo.training.losses import AdversarialLoss
from ganzoo.training.methods import NetworkClasses, Weights
from ganzoo.training.regularizers import DiscriminatorRegularizer, GeneratorRegularizer, Regularizer
from ganzoo.training.reporting import PlainLines, Reporter, Silent, terminal_reporter
from ganzoo.training.run_directory import DataRecord, EvaluationConfig, Intervals, RunConfig, RunDirectory
from ganzoo.training.runner import Options, describe, resume, train
from ganzoo.training.settings import apply_settings, check_recipe, read_settings
from ganzoo.training.turns import DiscriminatorTurn, GeneratorTurn

__all__ = [
    "AUGMENTATIONS",
    "CONSTRAINTS",
    "LOSSES",
    "REGULARIZERS",
    "AdversarialLoss",
    "Augmentation",
    "DataRecord",
    "DiscriminatorRegularizer",
    "DiscriminatorTurn",
    "Draws",
    "Engine",
    "EvaluationConfig",
    "Evaluator",
    "Game",
    "GeneratorRegularizer",
    "GeneratorTurn",
    "Intervals",
    "NetworkClasses",
    "Options",
    "PlainLines",
    "Progress",
    "Regularizer",
    "Reporter",
    "Run",
    "RunConfig",
    "RunDirectory",
    "Silent",
    "Weights",
    "apply_settings",
    "build_pipeline",
    "check_recipe",
    "describe",
    "frozen",
    "read_settings",
    "resume",
    "terminal_reporter",
    "train",
]
