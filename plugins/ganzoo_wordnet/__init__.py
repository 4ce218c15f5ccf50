"""Real English sentences for the zoo, that may be redistributed: definitions from WordNet."""

from ganzoo.hookspecs import hookimpl
from ganzoo.spec import Part

_GLOSSES = Part(
    id="wordnet-glosses",
    summary="18,555 definitions of nouns from WordNet 3.1, 4 to 16 words; splits train (90%), valid, test (5% each) and all",
    target="ganzoo_wordnet.glosses:wordnet_glosses",
)


@hookimpl
def ganzoo_datasets() -> list[Part]:
    """The data sets of this plugin."""
    return [_GLOSSES]
