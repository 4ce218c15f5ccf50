"""The data set: every position once."""

import torch

from ganzoo.data import TensorDataset


def dots(*, split: str = "train") -> TensorDataset:
    """64 grey images of 8x8 pixels with one bright pixel each."""
    images = (torch.eye(64).view(64, 1, 8, 8) * 255).to(torch.uint8)
    return TensorDataset(images, name=f"acme-dots/{split}", licence="CC0-1.0")
