"""The smallest adversarial game: gradient descent around the equilibrium of the Dirac-GAN (Mescheder et al. 2018, sec. 2).

    python benchmarks/dirac_gan.py                       # the table of docs/the-game.md, about half a minute
    python benchmarks/dirac_gan.py --picture paths.png   # and the paths of the two parameters

The data is one point, 0. The generator makes one point, ``theta``; the discriminator is ``D(x) = psi x``. The one equilibrium
is ``theta = psi = 0``. Both are trained by the zoo's engine with plain gradient descent in turns, the discriminator first, from
``theta = psi = 1``. Printed is the distance from the equilibrium after some steps, and by which factor a step changes it at the
end: measured, and as the eigenvalues of the linearised step say.

One step, linearised around the equilibrium, is ``psi -= h (a theta + gamma psi)``, then ``theta += h b psi``, where ``a`` and
``b`` are the slopes of the two sides of the loss at a logit of 0. Its matrix has the determinant ``1 - h gamma``: while its
eigenvalues are complex, both have the modulus ``sqrt(1 - h gamma)``, and without a penalty exactly 1.
"""

import argparse
import math
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor, nn

from ganzoo.data import VectorDataset
from ganzoo.models import Discriminator, VectorGenerator, VectorSamples
from ganzoo.spec import Optimizer, Recipe, Regularizer
from ganzoo.training import Engine

STEP = 0.1
STEPS = 2000
SHOWN = (100, 500, STEPS)
TAIL = 500  # steps over which the factor is measured
SLOPES = {"minimax": (0.5, 0.5), "non-saturating": (0.5, 0.5), "wasserstein": (1.0, 1.0), "relativistic-pairing": (0.5, 0.5)}
GAMMA = {"none": 0.0, "r1": 0.5, "r1+r2": 1.0}  # of the discriminator's penalty, as in gamma / 2 psi^2
GAMES = [
    ("minimax", "none"),
    ("minimax", "r1"),
    ("non-saturating", "none"),
    ("non-saturating", "r1"),
    ("wasserstein", "none"),
    ("wasserstein", "wgan-gp"),
    ("wasserstein", "r1"),
    ("relativistic-pairing", "none"),
    ("relativistic-pairing", "r1+r2"),
]
VIEW = (-2.0, -2.0, 2.0, 2.0)


class DiracGenerator(VectorGenerator):
    """``theta``, whatever the latent is."""

    def __init__(self) -> None:
        super().__init__()
        self.theta = nn.Parameter(torch.ones(1))

    @property
    def latent_shape(self) -> tuple[int, ...]:
        """One number, which is not used."""
        return (1,)

    @property
    def output_shape(self) -> tuple[int, ...]:
        """One number."""
        return (1,)

    def forward(self, z: Tensor) -> Tensor:
        """``[N, 1]``."""
        return self.theta.expand(len(z), 1)


class LinearDiscriminator(Discriminator):
    """``psi x``."""

    modality = "vector"

    def __init__(self) -> None:
        super().__init__()
        self.psi = nn.Parameter(torch.ones(1))

    def forward(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """Logits ``[N]``."""
        return (x * self.psi).squeeze(1)


def play(loss: str, penalty: str, steps: int = STEPS) -> Tensor:
    """The path ``[steps + 1, 2]`` of (theta, psi)."""
    names = [] if penalty == "none" else penalty.split("+")
    weight = 1.0 if penalty == "wgan-gp" else 0.5
    descent = Optimizer(name="sgd", lr=STEP, betas=(0.0, 0.0))
    recipe = Recipe(
        loss=loss,
        batch_size=1,
        images=steps,
        generator=descent,
        discriminator=descent,
        regularizers={name: Regularizer(weight=weight) for name in names},
        ema_images=0.0,
    )
    G, D = DiracGenerator(), LinearDiscriminator()
    engine = Engine(G, D, VectorDataset(torch.zeros(1, 1), "zero").prepare((1,)), recipe, seed=0)
    path = [(1.0, 1.0)]
    for _ in range(steps):
        engine.step()
        path.append((float(G.theta.detach()), float(D.psi.detach())))
    return torch.tensor(path)


def predicted_factor(loss: str, penalty: str) -> float:
    """The larger modulus of the eigenvalues of one linearised step; NaN where the step is not smooth at the equilibrium."""
    if penalty not in GAMMA:
        return math.nan
    a, b = SLOPES[loss]
    judge = torch.tensor([[1.0, 0.0], [-STEP * a, 1 - STEP * GAMMA[penalty]]], dtype=torch.float64)  # acts on (theta, psi)
    forge = torch.tensor([[1.0, STEP * b], [0.0, 1.0]], dtype=torch.float64)
    return float(torch.linalg.eigvals(forge @ judge).abs().max())


def measured_factor(path: Tensor) -> float:
    """The mean factor a step over the last steps, from the largest distance in two equal stretches."""
    distance = path.double().norm(dim=1)
    first, last = distance[-2 * TAIL : -TAIL].max(), distance[-TAIL:].max()
    return float((last / first) ** (1 / TAIL))


def draw(paths: list[Tensor]) -> Image.Image:
    """The paths side by side, theta to the right and psi upwards, from -2 to 2."""
    panels = [VectorSamples(path, range(len(path))).scatter(200, extent=VIEW) for path in paths]
    picture = Image.new("L", (204 * len(panels) - 4, 200), 200)
    for i, panel in enumerate(panels):
        picture.paste(panel, (204 * i, 0))
    return picture


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--picture", type=Path, help="write the paths of the first two games")
    arguments = parser.parse_args()
    print(f"{'loss':22}{'penalty':10}" + "".join(f"{f'step {n}':>12}" for n in SHOWN) + f"{'measured':>12}{'predicted':>12}")
    paths = []
    for loss, penalty in GAMES:
        path = play(loss, penalty)
        paths.append(path)
        distances = path.norm(dim=1)
        shown = "".join(f"{float(distances[n]):12.2g}" for n in SHOWN)
        print(f"{loss:22}{penalty:10}{shown}{measured_factor(path):12.4f}{predicted_factor(loss, penalty):12.4f}")
    if arguments.picture is not None:
        draw(paths[:2]).save(arguments.picture, optimize=True)


if __name__ == "__main__":
    main()
