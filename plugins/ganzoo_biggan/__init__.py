"""BigGAN and BigGAN-deep for the zoo, as their author's BigGAN-PyTorch and as pytorch-pretrained-BigGAN build them."""

from ganzoo.hookspecs import hookimpl
from ganzoo.spec import Architecture, ConfigField, Layout, Role
from ganzoo_biggan.plans import PUBLISHED_LAYERS
from ganzoo_biggan.recipe import BIGGAN_RECIPE, RECIPES

_G: tuple[Role, ...] = ("generator",)
_D: tuple[Role, ...] = ("discriminator",)
_PAPER = "Brock, Donahue and Simonyan 2019, arXiv:1809.11096"

_SIZE = ConfigField(name="image_size", default=128, doc="pixels a side: 32, 64, 128, 256 or 512")
_CHANNELS = ConfigField(name="channels", default=3, doc="channels of the image")
_CLASSES = ConfigField(name="num_classes", default=0, doc="number of classes; 0: unconditional")
_ATTENTION = ConfigField(
    name="attention", default=None, doc="resolutions that attention stands at; none: 64 (32 at 64 pixels, nowhere at 32)"
)
_BOTTOM = ConfigField(name="bottom_width", default=4, doc="pixels a side before the first stage", roles=_G)
_SPECTRAL = ConfigField(name="spectral_norm", default=True, doc="normalise all weights")
_CONSTANTS = (
    ConfigField(name="statistics", default="running", doc="of normalisations: running, counted or standing", roles=_G),
    ConfigField(name="norm_eps", default=1e-5, doc="added to variances; no checkpoint tells", roles=_G),
    ConfigField(name="spectral_eps", default=1e-12, doc="keeps singular vectors from zero; no checkpoint tells"),
)
_INITIAL = ConfigField(name="initialisation", default="orthogonal", doc="orthogonal, normal or xavier")

_BIGGAN = Architecture(
    id="biggan",
    summary="Large residual GAN whose classes share one embedding and whose latent enters every stage",
    modality="image",
    task="image-generation",
    networks={
        "generator": "ganzoo_biggan.networks:BigGANGenerator",
        "discriminator": "ganzoo_biggan.networks:BigGANDiscriminator",
    },
    config=(
        _SIZE,
        _CHANNELS,
        ConfigField(name="latent_size", default=120, doc="entries of z, rounded down to equal chunks", roles=_G),
        ConfigField(name="width", default=96, doc="the paper's ch: channels next to the image (of 128 pixels and more)"),
        _CLASSES,
        ConfigField(name="shared", default=True, doc="one embedding of the class for all normalisations", roles=_G),
        ConfigField(name="embedding_size", default=128, doc="entries of that embedding", roles=_G),
        ConfigField(name="hierarchical", default=True, doc="a chunk of z enters every stage", roles=_G),
        _ATTENTION,
        ConfigField(name="wide", default=True, doc="widen in the first convolution of a block", roles=_D),
        _BOTTOM,
        _SPECTRAL,
        *_CONSTANTS,
        _INITIAL,
    ),
    layouts=(
        Layout(
            id="biggan-pytorch",
            role="generator",
            reader="ganzoo_biggan.layouts:BigGANGeneratorReader",
            summary="G.pth and G_ema.pth of BigGAN-PyTorch",
        ),
        Layout(
            id="biggan-pytorch",
            role="discriminator",
            reader="ganzoo_biggan.layouts:BigGANDiscriminatorReader",
            summary="D.pth of BigGAN-PyTorch",
        ),
    ),
    recipe=BIGGAN_RECIPE,
    recipes=dict(RECIPES),
    paper=_PAPER,
)

_DEEP = Architecture(
    id="biggan-deep",
    summary="BigGAN with bottleneck blocks, all of the latent in every one of them",
    modality="image",
    task="image-generation",
    networks={
        "generator": "ganzoo_biggan.deep:BigGANDeepGenerator",
        "discriminator": "ganzoo_biggan.deep:BigGANDeepDiscriminator",
    },
    config=(
        _SIZE,
        _CHANNELS,
        ConfigField(name="latent_size", default=128, doc="entries of z", roles=_G),
        ConfigField(name="width", default=128, doc="the paper's ch: channels next to the image (of 128 pixels and more)"),
        ConfigField(name="depth", default=2, doc="blocks a stage"),
        _CLASSES,
        ConfigField(name="embedding_size", default=128, doc="entries of the class's embedding", roles=_G),
        _ATTENTION,
        _BOTTOM,
        _SPECTRAL,
        *_CONSTANTS,
        _INITIAL,
    ),
    layouts=(
        Layout(
            id="biggan-deep-pytorch",
            role="generator",
            reader="ganzoo_biggan.layouts:BigGANDeepGeneratorReader",
            summary="G.pth and G_ema.pth of BigGAN-PyTorch's BigGANdeep",
        ),
        Layout(
            id="biggan-deep-pytorch",
            role="discriminator",
            reader="ganzoo_biggan.layouts:BigGANDeepDiscriminatorReader",
            summary="D.pth of BigGAN-PyTorch's BigGANdeep",
        ),
    ),
    recipe=BIGGAN_RECIPE,
    recipes=dict(RECIPES),
    paper=_PAPER,
)

# An architecture of its own: other normalisations, another order of the condition, other blocks, and no discriminator.
_TABULATED = Architecture(
    id="biggan-deep-hf",
    summary="The authors' BigGAN-deep, with normalisation statistics for each truncation; it can be sampled, not trained",
    modality="image",
    task="image-generation",
    networks={"generator": "ganzoo_biggan.tabulated:BigGANDeepTabulatedGenerator"},
    config=(
        ConfigField(name="latent_size", default=128, doc="entries of z"),
        ConfigField(name="width", default=128, doc="channels after the last block"),
        ConfigField(
            name="layers",
            default=[list(layer) for layer in PUBLISHED_LAYERS],
            doc="of each block: whether it doubles the pixels, channels before and after in widths",
        ),
        ConfigField(name="attention", default=8, doc="blocks before the attention; none: there is none"),
        ConfigField(name="num_classes", default=1000, doc="number of classes"),
        ConfigField(name="embedding_size", default=128, doc="entries of the class's embedding"),
        ConfigField(name="rows", default=51, doc="truncations that there are statistics for"),
        ConfigField(name="exact_statistics", default=False, doc="interpolate them rightly, unlike the reference"),
        ConfigField(name="norm_eps", default=1e-4, doc="added to variances; no checkpoint tells"),
        ConfigField(name="spectral_eps", default=1e-4, doc="keeps singular vectors from zero; no checkpoint tells"),
        ConfigField(name="initialisation", default="orthogonal", doc="orthogonal, normal or xavier"),
    ),
    layouts=(
        Layout(
            id="pytorch-pretrained-biggan",
            role="generator",
            reader="ganzoo_biggan.tabulated_layouts:TabulatedGeneratorReader",
            summary="pytorch_model.bin of pytorch-pretrained-BigGAN",
        ),
    ),
    paper=_PAPER,
)


@hookimpl
def ganzoo_architectures() -> list[Architecture]:
    """The architectures of this plugin."""
    return [_BIGGAN, _DEEP, _TABULATED]
