"""A small convolutional classifier, in the manner of LeNet-5 (LeCun et al. 1998) with batch normalisation."""

from collections.abc import Sequence

from torch import Tensor, nn


class SmallClassifier(nn.Module):
    """Images ``[N, channels, 32, 32]`` in [-1, 1] to features ``[N, features]`` and class scores (logits) ``[N, classes]``.

    Small enough to be trained in minutes and to ship beside a data set: what a feature space without a download needs.

    Args:
        channels: Of the image.
        widths: Channels of the three stages, each of which halves the pixels.
        features: Entries of the hidden layer.
        classes: How many.
    """

    image_size = 32

    def __init__(self, channels: int, widths: Sequence[int], features: int, classes: int) -> None:
        super().__init__()
        first, second, third = widths
        stages = [*_stage(channels, first, 5), *_stage(first, second, 3), *_stage(second, third, 3)]
        self.body = nn.Sequential(*stages, nn.Flatten())
        self.hidden = nn.Linear(third * 4 * 4, features)
        self.classes = nn.Linear(features, classes)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Features (after the rectifier, so at least 0) and class scores."""
        features = self.hidden(self.body(x)).relu()
        return features, self.classes(features)


def _stage(before: int, after: int, kernel: int) -> list[nn.Module]:
    convolution = nn.Conv2d(before, after, kernel, padding=kernel // 2, bias=False)
    return [convolution, nn.BatchNorm2d(after), nn.ReLU(), nn.MaxPool2d(2)]
