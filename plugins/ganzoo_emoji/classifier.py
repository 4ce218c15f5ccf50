"""A small convolutional classifier of emoji, in the manner of LeNet-5 (LeCun et al. 1998), with batch normalisation."""

from torch import Tensor, nn

FEATURES = 96
CLASSES = 9
IMAGE_SIZE = 32


class EmojiClassifier(nn.Module):
    """Colour images ``[N, 3, 32, 32]`` in [-1, 1] to features ``[N, 96]`` and scores (logits) of the categories ``[N, 9]``."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(*_stage(3, 24, 5), *_stage(24, 48, 3), *_stage(48, 96, 3), nn.Flatten())
        self.hidden = nn.Linear(96 * 4 * 4, FEATURES)
        self.classes = nn.Linear(FEATURES, CLASSES)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Features (after the rectifier, so at least 0) and scores of the categories."""
        features = self.hidden(self.body(x)).relu()
        return features, self.classes(features)


def _stage(before: int, after: int, kernel: int) -> list[nn.Module]:
    convolution = nn.Conv2d(before, after, kernel, padding=kernel // 2, bias=False)
    return [convolution, nn.BatchNorm2d(after), nn.ReLU(), nn.MaxPool2d(2)]
