"""Extra terms of the players' losses, each a class that derives from `DiscriminatorRegularizer` or `GeneratorRegularizer`."""

from ganzoo.training.regularizers.base import DiscriminatorRegularizer, GeneratorRegularizer, Regularizer
from ganzoo.training.regularizers.consistency import Consistency
from ganzoo.training.regularizers.gradients import R1, R2, Dragan, WassersteinGradientPenalty, ZeroCentredGradientPenalty
from ganzoo.training.regularizers.lecam import LeCam
from ganzoo.training.regularizers.mode_seeking import ModeSeeking
from ganzoo.training.regularizers.path_length import PathLength
from ganzoo.training.regularizers.weights import OrthogonalDiscriminator, OrthogonalGenerator, Spectral

__all__ = [
    "R1",
    "R2",
    "Consistency",
    "DiscriminatorRegularizer",
    "Dragan",
    "GeneratorRegularizer",
    "LeCam",
    "ModeSeeking",
    "OrthogonalDiscriminator",
    "OrthogonalGenerator",
    "PathLength",
    "Regularizer",
    "Spectral",
    "WassersteinGradientPenalty",
    "ZeroCentredGradientPenalty",
]
