"""Sentences whose probabilities are known, for the zoo: what text GANs can be measured against without fooling oneself."""

from ganzoo.hookspecs import hookimpl
from ganzoo.spec import Part

_DATASETS = (
    Part(
        id="text-oracle",
        summary="10,000 sentences of 20 words out of 5,000 from a known LSTM, as SeqGAN has them; splits train, valid, test",
        target="ganzoo_oracle.data:text_oracle",
    ),
    Part(
        id="text-oracle-small",
        summary="2,000 sentences of 10 words out of 100 from a small known LSTM; splits train, valid, test (10,000)",
        target="ganzoo_oracle.data:text_oracle_small",
    ),
)


@hookimpl
def ganzoo_datasets() -> list[Part]:
    """The data sets of this plugin."""
    return list(_DATASETS)
