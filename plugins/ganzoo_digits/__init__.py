"""Real handwritten digits for the zoo: three data sets of them, and the feature space ``digits`` to judge generated ones."""

from ganzoo.hookspecs import hookimpl
from ganzoo.spec import Part

_MNIST_5K = Part(
    id="mnist-5k",
    summary="5,000 real MNIST digits, 28x28 grey, 10 classes; splits train (4,000), test (1,000) and all",
    target="ganzoo_digits.mnist:mnist_5k",
    extra="datasets",
)
_SKLEARN = Part(
    id="sklearn-digits",
    summary="1,797 real digits, 8x8 grey, 10 classes; splits train (1,442), test (355) and all",
    target="ganzoo_digits.sklearn_digits:sklearn_digits",
    extra="datasets",
)
_STACKED = Part(
    id="stacked-mnist",
    summary="three digits of mnist-5k as colour channels, 1,000 classes; splits train (128,000) and test (25,600)",
    target="ganzoo_digits.stacked:stacked_mnist",
    extra="datasets",
)
_DIGITS = Part(
    id="digits",
    summary="64 features and 10 class scores of a small classifier trained on mnist-5k/train",
    target="ganzoo_digits.features:DigitFeatures",
)
_STACKED_DIGITS = Part(
    id="stacked-digits",
    summary="192 features and 1,000 class scores of the digit classifier on each colour channel",
    target="ganzoo_digits.features:StackedDigitFeatures",
)


@hookimpl
def ganzoo_datasets() -> list[Part]:
    """The data sets of this plugin."""
    return [_MNIST_5K, _SKLEARN, _STACKED]


@hookimpl
def ganzoo_features() -> list[Part]:
    """The feature spaces of this plugin."""
    return [_DIGITS, _STACKED_DIGITS]
