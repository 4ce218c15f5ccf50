"""Makes the weights of the feature space ``digits`` again: ``python -m ganzoo_digits.train_classifier FILE``.

Trained on the split ``mnist-5k/train`` only, so that held-out digits are new to it; takes two minutes on one CPU core.
"""

import argparse
import math
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional as F

from ganzoo_digits.classifier import IMAGE_SIZE, DigitClassifier
from ganzoo_digits.mnist import mnist_5k

EPOCHS = 40
BATCH = 100
PEAK_RATE = 4e-3


def train(seed: int = 0) -> DigitClassifier:
    """A classifier trained on the train split with small random rotations, scalings, shears and shifts."""
    torch.manual_seed(seed)
    images, labels = load("train")
    network = DigitClassifier()
    steps = EPOCHS * len(images) // BATCH
    optimizer = torch.optim.AdamW(network.parameters(), PEAK_RATE, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, PEAK_RATE, total_steps=steps)
    for _ in range(EPOCHS):
        for chosen in torch.split(torch.randperm(len(images)), BATCH):
            _, scores = network(distort(images[chosen]))
            loss = F.cross_entropy(scores, labels[chosen], label_smoothing=0.05)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
    return network.eval()


def distort(images: Tensor) -> Tensor:
    """Each image turned by up to 12 degrees, scaled and sheared by up to 12 %, shifted by up to 2 pixels; black outside."""
    n = len(images)
    angle, shear = (torch.rand(n) * 2 - 1) * math.radians(12), (torch.rand(n) * 2 - 1) * 0.12
    scale_x, scale_y = 1 + (torch.rand(2, n) * 2 - 1) * 0.12
    shift = (torch.rand(2, n) * 2 - 1) * (2 * 2 / IMAGE_SIZE)
    top = torch.stack([scale_x * angle.cos(), shear - angle.sin(), shift[0]], dim=1)
    bottom = torch.stack([angle.sin(), scale_y * angle.cos(), shift[1]], dim=1)
    grid = F.affine_grid(torch.stack([top, bottom], dim=1), list(images.shape), align_corners=False)
    return F.grid_sample(images + 1, grid, align_corners=False) - 1  # black is -1, padding is 0


@torch.inference_mode()
def accuracy(network: DigitClassifier, split: str) -> float:
    """Share of the digits of ``split`` that are recognised."""
    images, labels = load(split)
    _, scores = network.eval()(images)
    return float((scores.argmax(1) == labels).float().mean())


def load(split: str) -> tuple[Tensor, Tensor]:
    """Images ``[N, 1, 32, 32]`` in [-1, 1] and their classes."""
    digits = mnist_5k(split=split)
    assert digits.labels is not None
    pixels = digits.prepare((1, IMAGE_SIZE, IMAGE_SIZE)).values
    return pixels.float() / 127.5 - 1, digits.labels


def main() -> None:
    """Trains, prints the accuracies and writes the weights."""
    parser = argparse.ArgumentParser(description="Train the digit classifier of the feature space 'digits'.")
    parser.add_argument("file", type=Path, help="where to write the weights (safetensors)")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    network = train(arguments.seed)
    print(f"accuracy on mnist-5k/train {accuracy(network, 'train'):.4f}, on mnist-5k/test {accuracy(network, 'test'):.4f}")  # noqa: T201
    state = {key: value for key, value in network.state_dict().items() if not key.endswith("num_batches_tracked")}
    save_file(state, arguments.file)


if __name__ == "__main__":
    main()
