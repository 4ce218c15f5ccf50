"""Training of text GANs: phases and rewards as parts, played by the one trainer."""

from ganzoo.text.training.game import TextGame
from ganzoo.text.training.ground import Ground
from ganzoo.text.training.judging import Judge, Judging, Pool
from ganzoo.text.training.likelihood import weighted_nll
from ganzoo.text.training.material import Material
from ganzoo.text.training.parts import PHASES, REWARDS
from ganzoo.text.training.phase import TextPhase
from ganzoo.text.training.rewards import Judged, Reward

__all__ = [
    "PHASES",
    "REWARDS",
    "Ground",
    "Judge",
    "Judged",
    "Judging",
    "Material",
    "Pool",
    "Reward",
    "TextGame",
    "TextPhase",
    "weighted_nll",
]
