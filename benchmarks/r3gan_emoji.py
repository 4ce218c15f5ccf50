"""The figures of an R3GAN trained on emoji, beside held-out real emoji and random initialisation.

    python benchmarks/r3gan_emoji.py                                    # r3gan-emoji-32, 5,000 samples, minutes
    python benchmarks/r3gan_emoji.py --model runs/emoji/model           # a model that you trained
    python benchmarks/r3gan_emoji.py --check-features                   # whether the features see what is broken
    python benchmarks/r3gan_emoji.py --model runs/emoji/model --half F  # its half-precision files into the folder F

Without --model it measures the catalogue's ``r3gan-emoji-32``: the figures of its card.

Needs the npm package emoji-datasource-google 16.0.0 (see docs/data.md). Features: the emoji classifier of the plugin ``emoji``
(no Inception); reference: the 1,623 pictures of ``emoji/train`` that the model was trained on, scaled to 32x32; control: the
283 held-out pictures of ``emoji/test``.
"""

from collections.abc import Callable

import torch
from shipping import options, run
from torch import Tensor
from torch.nn import functional as F

import ganzoo
from ganzoo.metrics import Evaluation, builtin_metrics, evaluate_generator, frechet_from_features
from ganzoo_emoji.emoji import emoji
from ganzoo_emoji.features import EmojiFeatures

MODEL = "r3gan-emoji-32"
SHAPE = (3, 32, 32)


def measure(model: str, samples: int, seed: int) -> Evaluation:
    """The figures of the card, for a name or a model folder."""
    return evaluate_generator(
        ganzoo.load(model, role="generator"),
        emoji(split="train"),
        EmojiFeatures(),
        held_out=emoji(split="test"),
        samples=samples,
        seed=seed,
        metrics=builtin_metrics("fid", "pr", "dc", "modes"),
        name=model,
    )


def check_features(seed: int = 0) -> str:
    """Fréchet distances from ``emoji/train`` to the held-out emoji and to broken copies of them, which grow with the damage."""
    space, rng = EmojiFeatures(), torch.Generator().manual_seed(seed)
    reference = features_of(space, pictures("train"))
    images = pictures("test")
    rows = [("held out, as they are", [images])]
    for what, amounts, damage in DAMAGES:
        rows.append((f"{what} {', '.join(f'{a:g}' for a in amounts)}", [damage(images, a, rng) for a in amounts]))
    lines = []
    for what, sets in rows:
        distances = [frechet_from_features(features_of(space, each), reference) for each in sets]
        lines.append(f"{what:48}" + "".join(f"{d:9.2f}" for d in distances))
    return "\n".join(lines)


def pictures(split: str) -> Tensor:
    """The emoji of a split ``[N, 3, 32, 32]`` in [-1, 1]."""
    return emoji(split=split).prepare(SHAPE).values.float() / 127.5 - 1


def features_of(space: EmojiFeatures, images: Tensor) -> Tensor:
    """Features of ``images [N, 3, 32, 32]``, rounded to 8 bits as saved pictures are."""
    return space(((images.clamp(-1, 1) + 1) * 127.5).round() / 127.5 - 1).features


def blur(images: Tensor, sigma: float, _: torch.Generator) -> Tensor:
    """A Gaussian of standard deviation ``sigma`` pixels."""
    offsets = torch.arange(-12, 13)
    taps = torch.exp(-0.5 * (offsets / sigma) ** 2)
    taps = (taps / taps.sum()).expand(images.shape[1], 1, 1, -1)
    across = F.conv2d(F.pad(images, (12, 12, 0, 0), "replicate"), taps, groups=images.shape[1])
    return F.conv2d(F.pad(across, (0, 0, 12, 12), "replicate"), taps.mT, groups=images.shape[1])


def add_noise(images: Tensor, deviation: float, rng: torch.Generator) -> Tensor:
    """Normal noise."""
    return images + deviation * torch.randn(images.shape, generator=rng)


def invert(images: Tensor, share: float, rng: torch.Generator) -> Tensor:
    """Colours of a share of the pictures inverted."""
    chosen = torch.randperm(len(images), generator=rng)[: round(share * len(images))]
    done = images.clone()
    done[chosen] *= -1
    return done


def shuffle(images: Tensor, share: float, rng: torch.Generator) -> Tensor:
    """A share of the pixels moved to each other's places, others in each picture."""
    pixels = images.flatten(2).clone()
    for picture in pixels:
        chosen = torch.randperm(picture.shape[1], generator=rng)[: round(share * picture.shape[1])]
        picture[:, chosen] = picture[:, chosen.roll(1)]
    return pixels.view_as(images)


Damage = Callable[[Tensor, float, torch.Generator], Tensor]
DAMAGES: tuple[tuple[str, tuple[float, ...], Damage], ...] = (
    ("blurred, sigma", (0.5, 1, 2, 4), blur),
    ("with noise of deviation", (0.1, 0.2, 0.4, 0.8), add_noise),
    ("share of the pictures inverted", (0.25, 0.5, 0.75, 1), invert),
    ("share of the pixels shuffled", (0.05, 0.2, 0.5, 1), shuffle),
)


def main() -> None:
    parser = options(__doc__, MODEL)
    parser.add_argument("--check-features", action="store_true", help="only distances of held-out emoji that were damaged")
    arguments = parser.parse_args()
    if arguments.check_features:
        print(check_features(arguments.seed))
        return
    run(arguments, measure, "python benchmarks/r3gan_emoji.py")


if __name__ == "__main__":
    main()
