"""A small convolutional digit classifier in the manner of LeNet-5 (LeCun et al. 1998), with batch normalisation."""

from torch import Tensor, nn

FEATURES = 64
CLASSES = 10
IMAGE_SIZE = 32


class DigitClassifier(nn.Module):
    """Grey images ``[N, 1, 32, 32]`` in [-1, 1] to features ``[N, 64]`` and class scores (logits) ``[N, 10]``."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(*_stage(1, 16, 5), *_stage(16, 32, 3), *_stage(32, 64, 3), nn.Flatten())
        self.hidden = nn.Linear(64 * 4 * 4, FEATURES)
        self.classes = nn.Linear(FEATURES, CLASSES)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Features (after the rectifier, so at least 0) and class scores."""
        features = self.hidden(self.body(x)).relu()
        return features, self.classes(features)


def _stage(before: int, after: int, kernel: int) -> list[nn.Module]:
    convolution = nn.Conv2d(before, after, kernel, padding=kernel // 2, bias=False)
    return [convolution, nn.BatchNorm2d(after), nn.ReLU(), nn.MaxPool2d(2)]
