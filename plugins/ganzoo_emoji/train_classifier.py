"""Makes the weights of the feature space ``emoji`` again: ``python -m ganzoo_emoji.train_classifier FILE``.

Trained on the split ``emoji/train`` only, so that held-out emoji are new to it; takes minutes of one CPU core. It learns the
9 categories and, with a second head that is thrown away afterwards, the 98 subcategories and one class more of pictures that
are no emoji: nine classes alone would not ask for features that tell a dog from a bird, or a bird from a blot.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ganzoo.checkpoint import write_safetensors
from ganzoo_emoji.classifier import FEATURES, IMAGE_SIZE, EmojiClassifier
from ganzoo_emoji.emoji import emoji, read_index
from ganzoo_emoji.package import find_package

EPOCHS = 60
BATCH = 64
PEAK_RATE = 4e-3
DROPOUT = 0.5  # of the features, before both heads


def train(seed: int = 0, epochs: int = EPOCHS) -> EmojiClassifier:
    """A classifier trained on the train split with random flips and small random scalings, shifts and changes of colour."""
    torch.manual_seed(seed)
    images, categories, subcategories = load("train")
    nothing = int(subcategories.max()) + 1
    network, detail = EmojiClassifier(), nn.Linear(FEATURES, nothing + 1)
    optimizer = torch.optim.AdamW([*network.parameters(), *detail.parameters()], PEAK_RATE, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, PEAK_RATE, total_steps=epochs * -(-len(images) // BATCH))
    for _ in range(epochs):
        for chosen in torch.split(torch.randperm(len(images)), BATCH):
            whole = distort(images[chosen])
            broken = spoil(whole[: len(whole) // 2])
            features = F.dropout(network(torch.cat([whole, broken]))[0], DROPOUT)
            details = F.pad(subcategories[chosen], (0, len(broken)), value=nothing)
            loss = F.cross_entropy(detail(features), details, label_smoothing=0.1)
            scores = network.classes(features[: len(whole)])
            loss = loss + F.cross_entropy(scores, categories[chosen], label_smoothing=0.1)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
    return network.eval()


def distort(images: Tensor) -> Tensor:
    """Each image mirrored or not, scaled by up to 15 %, shifted by up to 3 pixels, its colours up to 15 % stronger or paler.

    What comes in from outside is white, and white stays white. Colours keep close to what they were: an emoji of other colours
    is another emoji, or a broken one.
    """
    n = len(images)
    mirrored = torch.where(torch.rand(n) < 0.5, -1.0, 1.0)
    scale = 1 + (torch.rand(2, n) * 2 - 1) * 0.15
    shift = (torch.rand(2, n) * 2 - 1) * (3 * 2 / IMAGE_SIZE)
    none = torch.zeros(n)
    rows = [torch.stack([scale[0] * mirrored, none, shift[0]], dim=1), torch.stack([none, scale[1], shift[1]], dim=1)]
    grid = F.affine_grid(torch.stack(rows, dim=1), list(images.shape), align_corners=False)
    moved = F.grid_sample(images - 1, grid, align_corners=False)  # white is 1, padding is 0
    gain = 1 + (torch.rand(n, 1, 1, 1) * 2 - 1) * 0.1 + (torch.rand(n, 3, 1, 1) * 2 - 1) * 0.05
    return (moved * gain + 1).clamp(-1, 1)


def spoil(images: Tensor) -> Tensor:
    """What is no emoji, a third each: two mixed, 16 tiles of one in another order, coloured blots of some size."""
    n = len(images)
    mixed = torch.lerp(images, images.roll(1, 0), 0.3 + 0.4 * torch.rand(n, 1, 1, 1))
    side = IMAGE_SIZE // 4
    tiles = F.unfold(images, side, stride=side)[..., torch.randperm(16)]
    cells = 2 ** int(torch.randint(1, 6, ()))  # a side; the more, the smaller the blots
    blots = torch.randn(n, 3, cells, cells) * torch.rand(n, 1, 1, 1) + torch.rand(n, 3, 1, 1) * 2 - 1
    blots = F.interpolate(blots, size=IMAGE_SIZE, mode="bilinear").clamp(-1, 1)
    kinds = torch.stack([mixed, F.fold(tiles, IMAGE_SIZE, side, stride=side), blots])
    return kinds[torch.randint(3, (n,)), torch.arange(n)]


@torch.inference_mode()
def accuracy(network: EmojiClassifier, split: str) -> float:
    """Share of the emoji of ``split`` whose category is recognised."""
    images, categories, _ = load(split)
    _, scores = network.eval()(images)
    return float((scores.argmax(1) == categories).float().mean())


def load(split: str) -> tuple[Tensor, Tensor, Tensor]:
    """Images ``[N, 3, 32, 32]`` in [-1, 1], their categories ``[N]`` and their subcategories ``[N]``."""
    data = emoji(split=split)
    assert data.labels is not None and data.captions is not None
    of = _subcategories()
    pixels = data.prepare((3, IMAGE_SIZE, IMAGE_SIZE)).values
    return pixels.float() / 127.5 - 1, data.labels, torch.tensor([of[texts[0]] for texts in data.captions])


def half(network: nn.Module) -> Mapping[str, Tensor]:
    """The network's tensors in half precision, without the batches counted by batch normalisation."""
    return {key: value.half() for key, value in network.state_dict().items() if not key.endswith("num_batches_tracked")}


def _subcategories() -> dict[str, int]:
    """The number of each emoji's subcategory, by the emoji's name."""
    entries = read_index(find_package().index())
    names = sorted({entry.subcategory for entry in entries})
    return {entry.name: names.index(entry.subcategory) for entry in entries}


def main() -> None:
    """Trains, writes the weights and prints the accuracies of what was written."""
    parser = argparse.ArgumentParser(description="Train the emoji classifier of the feature space 'emoji'.")
    parser.add_argument("file", type=Path, help="where to write the weights (safetensors)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    arguments = parser.parse_args()
    network = train(arguments.seed, arguments.epochs)
    written = half(network)
    write_safetensors(arguments.file, written)
    network.load_state_dict(dict(written), strict=False)
    print(f"categories recognised: emoji/train {accuracy(network, 'train'):.3f}, emoji/test {accuracy(network, 'test'):.3f}")  # noqa: T201


if __name__ == "__main__":
    main()
