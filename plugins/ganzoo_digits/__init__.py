"""Real handwritten digits for the zoo: the data set ``mnist-5k``, and the feature space ``digits`` to judge generated ones."""

from ganzoo.hookspecs import hookimpl
from ganzoo.spec import Part

_MNIST_5K = Part(
    id="mnist-5k",
    summary="5,000 real MNIST digits, 28x28 grey, 10 classes; splits train (4,000), test (1,000) and all",
    target="ganzoo_digits.mnist:mnist_5k",
    extra="datasets",
)
_DIGITS = Part(
    id="digits",
    summary="64 features and 10 class scores of a small classifier trained on mnist-5k/train",
    target="ganzoo_digits.features:DigitFeatures",
)


@hookimpl
def ganzoo_datasets() -> list[Part]:
    """The data sets of this plugin."""
    return [_MNIST_5K]


@hookimpl
def ganzoo_features() -> list[Part]:
    """The feature spaces of this plugin."""
    return [_DIGITS]
