"""Small colour pictures for the zoo: the data set ``emoji``, named and categorised, and the feature space ``emoji``."""

from ganzoo.hookspecs import hookimpl
from ganzoo.spec import Part

_EMOJI = Part(
    id="emoji",
    summary="1,906 Noto emoji, 64x64 colour on white, 9 categories, names; splits train, test, all; with skin tones: …-tones",
    target="ganzoo_emoji.emoji:emoji",
)
_FEATURES = Part(
    id="emoji",
    summary="96 features and 9 category scores of a small classifier trained on emoji/train",
    target="ganzoo_emoji.features:EmojiFeatures",
)


@hookimpl
def ganzoo_datasets() -> list[Part]:
    """The data sets of this plugin."""
    return [_EMOJI]


@hookimpl
def ganzoo_features() -> list[Part]:
    """The feature spaces of this plugin."""
    return [_FEATURES]
