"""TextGAN for the zoo (Zhang et al. 2017): sentences by matching features as distributions, without reinforcement learning."""

from ganzoo.hookspecs import hookimpl
from ganzoo.spec import Architecture, ConfigField, Part
from ganzoo_textgan.recipe import PAPER_RECIPE, TEXTGAN_RECIPE

_TOKENS = (
    ConfigField(name="vocab_size", default=5000, doc="tokens; the data decide"),
    ConfigField(name="max_length", default=20, doc="tokens of a sentence at most, its end included; the data decide"),
    ConfigField(name="latent_size", default=64, doc="entries of z; the same for both networks"),
    ConfigField(name="embedding_size", default=64, doc="numbers a token"),
)

_TEXTGAN = Architecture(
    id="textgan",
    summary="TextGAN of Zhang et al.: LSTM with soft argmax against a CNN whose features it matches by MMD",
    modality="text",
    task="text-generation",
    networks={
        "generator": "ganzoo_textgan.networks:TextGANGenerator",
        "discriminator": "ganzoo_textgan.networks:TextGANDiscriminator",
    },
    config=(
        *_TOKENS,
        ConfigField(name="hidden_size", default=192, doc="units of the LSTM", roles=("generator",)),
        ConfigField(
            name="sharpness",
            default=30.0,
            doc="L of the soft argmax: logits are multiplied by it; 1000 in the paper",
            roles=("generator",),
        ),
        ConfigField(name="filter_sizes", default=(3, 4, 5), doc="lengths of the filters, in tokens", roles=("discriminator",)),
        ConfigField(name="filter_count", default=100, doc="how many filters of each length", roles=("discriminator",)),
        ConfigField(name="judge_size", default=100, doc="units of the layer before the logit", roles=("discriminator",)),
        ConfigField(name="start_token", default=0, doc="is fed before the first token; the data decide", roles=("generator",)),
        ConfigField(
            name="end_token", default=None, doc="closes a sentence, if anything does; the data decide", roles=("generator",)
        ),
        ConfigField(name="pad_token", default=None, doc="stands behind the end; the data decide"),
        ConfigField(name="tokenizer_bytes", default=0, doc="size of the tokenizer; the data decide"),
    ),
    recipe=TEXTGAN_RECIPE,
    recipes={"paper": PAPER_RECIPE},
    paper="Zhang, Gan, Fan, Chen, Henao, Shen and Carin 2017, arXiv:1706.03850",
)

_PHASES = (
    Part(
        id="autoencoder",
        summary="the discriminator tells z from a sentence, the generator writes the sentence from z (Zhang et al. 2017)",
        target="ganzoo_textgan.autoencoder:Autoencoder",
    ),
    Part(
        id="permutation",
        summary="the discriminator tells sentences from the same ones with two words swapped (Zhang et al. 2017)",
        target="ganzoo_textgan.permutation:Permutation",
    ),
    Part(
        id="feature-matching",
        summary="the generator matches features of the discriminator by MMD, through a soft argmax (Zhang et al. 2017)",
        target="ganzoo_textgan.feature_matching:FeatureMatching",
    ),
)


@hookimpl
def ganzoo_architectures() -> list[Architecture]:
    """The architecture of this plugin."""
    return [_TEXTGAN]


@hookimpl
def ganzoo_phases() -> list[Part]:
    """The phases of this plugin."""
    return list(_PHASES)
