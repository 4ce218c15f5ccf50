"""SNGAN and SAGAN for the zoo: residual networks with spectral normalisation, as mimicry and as StudioGAN build them."""

from ganzoo.hookspecs import hookimpl
from ganzoo.spec import Architecture, ConfigField, Layout, Role
from ganzoo_sngan.recipe import SAGAN_RECIPE, SNGAN_RECIPE

_G: tuple[Role, ...] = ("generator",)
_D: tuple[Role, ...] = ("discriminator",)

_SIZE = ConfigField(name="image_size", default=32, doc="pixels a side: 4, 5, 6 or 7 times a power of two")
_CHANNELS = ConfigField(name="channels", default=3, doc="channels of the image")
_LATENT = ConfigField(name="latent_size", default=128, doc="entries of z", roles=_G)
_WIDTHS = (
    ConfigField(name="width", default=None, doc="most channels of a block; none: as in the papers, by image size"),
    ConfigField(name="widths", default=None, doc="channels of every block in order, instead of width"),
    ConfigField(name="halvings", default=None, doc="how many blocks halve the resolution; none: by size", roles=_D),
)
_CLASSES = ConfigField(name="num_classes", default=0, doc="number of classes; 0: unconditional")

_SNGAN = Architecture(
    id="sngan",
    summary="Residual GAN with a spectrally normalised discriminator, or a projection one where there are classes",
    modality="image",
    task="image-generation",
    networks={
        "generator": "ganzoo_sngan.networks:SNGANGenerator",
        "discriminator": "ganzoo_sngan.networks:SNGANDiscriminator",
    },
    config=(
        _SIZE,
        _CHANNELS,
        _LATENT,
        *_WIDTHS,
        _CLASSES,
        ConfigField(name="spectral_norm", default="stored", doc="stored, recomputed or none", roles=_D),
        ConfigField(name="head_spectral_norm", default=None, doc="of the last layers; none: as the others", roles=_D),
        ConfigField(name="unit_range", default=False, doc="pixels in [0, 1] inside; no checkpoint tells"),
    ),
    layouts=(
        Layout(
            id="mimicry",
            role="generator",
            reader="ganzoo_sngan.layouts:SNGANGeneratorReader",
            summary="netG of mimicry's SNGAN, cGAN-PD, DCGAN, SSGAN and InfoMax-GAN",
        ),
        Layout(
            id="mimicry",
            role="discriminator",
            reader="ganzoo_sngan.layouts:SNGANDiscriminatorReader",
            summary="netD of mimicry's SNGAN, cGAN-PD and DCGAN",
        ),
    ),
    recipe=SNGAN_RECIPE,
    paper="Miyato, Kataoka, Koyama and Yoshida 2018, arXiv:1802.05957; Miyato and Koyama 2018, arXiv:1802.05637",
)

_SAGAN = Architecture(
    id="sagan",
    summary="Residual GAN with self attention, spectrally normalised in both networks",
    modality="image",
    task="image-generation",
    networks={
        "generator": "ganzoo_sngan.networks:SAGANGenerator",
        "discriminator": "ganzoo_sngan.networks:SAGANDiscriminator",
    },
    config=(
        _SIZE,
        _CHANNELS,
        _LATENT,
        *_WIDTHS,
        _CLASSES,
        ConfigField(name="attention", default=None, doc="after which block attention stands; none: where the papers have it"),
    ),
    layouts=(
        Layout(
            id="mimicry-sagan",
            role="generator",
            reader="ganzoo_sngan.layouts:SAGANGeneratorReader",
            summary="netG of mimicry's SAGAN",
        ),
        Layout(
            id="mimicry-sagan",
            role="discriminator",
            reader="ganzoo_sngan.layouts:SAGANDiscriminatorReader",
            summary="netD of mimicry's SAGAN",
        ),
    ),
    recipe=SAGAN_RECIPE,
    paper="Zhang, Goodfellow, Metaxas and Odena 2019, arXiv:1805.08318",
)

_STUDIO_SHAPE = (
    ConfigField(name="image_size", default=32, doc="pixels a side: 32, 64, 128, 256 or 512"),
    _CHANNELS,
    _LATENT,
    ConfigField(name="width", default=64, doc="channels of the block next to the image (at 32 pixels a part of them)"),
    ConfigField(name="activation", default="ReLU", doc="ReLU, Leaky_ReLU, ELU or GELU; no checkpoint tells which"),
)
_STUDIO_HEAD = (
    ConfigField(name="conditioning", default="none", doc="none; generator: cBN; discriminator: AC, PD, MH, MD, 2C, D2DCE"),
    ConfigField(name="num_classes", default=0, doc="number of classes, where conditional"),
    ConfigField(name="embedding_size", default=512, doc="of 2C and D2DCE", roles=_D),
    ConfigField(
        name="normalize_embedding",
        default=False,
        doc="scale features or embeddings to unit length; no checkpoint tells",
        roles=_D,
    ),
    ConfigField(name="auxiliary", default="none", doc="none, TAC or ADC", roles=_D),
    ConfigField(name="initialisation", default="orthogonal", doc="orthogonal, normal or xavier"),
)
_STUDIO_PAPER = "Kang, Shin and Park 2023, arXiv:2206.09479"

_STUDIO_SNGAN = Architecture(
    id="studiogan-sngan",
    summary="StudioGAN's residual GAN without attention: its SNGAN, and others with its class conditionings",
    modality="image",
    task="image-generation",
    networks={
        "generator": "ganzoo_sngan.studiogan:StudioSNGANGenerator",
        "discriminator": "ganzoo_sngan.studiogan:StudioSNGANDiscriminator",
    },
    config=(
        *_STUDIO_SHAPE,
        ConfigField(name="spectral_norm", default=None, doc="normalise all weights; none: in the discriminator only"),
        *_STUDIO_HEAD,
    ),
    layouts=(
        Layout(
            id="studiogan-resnet",
            role="generator",
            reader="ganzoo_sngan.studiogan_layouts:StudioSNGANGeneratorReader",
            summary="model=G-... of StudioGAN's resnet backbone without attention",
        ),
        Layout(
            id="studiogan-resnet",
            role="discriminator",
            reader="ganzoo_sngan.studiogan_layouts:StudioSNGANDiscriminatorReader",
            summary="model=D-... of StudioGAN's resnet backbone without attention",
        ),
    ),
    recipe=SNGAN_RECIPE,
    paper=_STUDIO_PAPER,
)

_STUDIO_SAGAN = Architecture(
    id="studiogan-sagan",
    summary="StudioGAN's residual GAN with attention: its SAGAN, and others with its class conditionings",
    modality="image",
    task="image-generation",
    networks={
        "generator": "ganzoo_sngan.studiogan:StudioSAGANGenerator",
        "discriminator": "ganzoo_sngan.studiogan:StudioSAGANDiscriminator",
    },
    config=(
        *_STUDIO_SHAPE,
        ConfigField(name="spectral_norm", default=True, doc="normalise all weights"),
        ConfigField(name="attention", default=None, doc="after which blocks attention stands; none: 2, discriminator 1"),
        *_STUDIO_HEAD,
    ),
    layouts=(
        Layout(
            id="studiogan-resnet-attention",
            role="generator",
            reader="ganzoo_sngan.studiogan_layouts:StudioSAGANGeneratorReader",
            summary="model=G-... of StudioGAN's resnet backbone with attention",
        ),
        Layout(
            id="studiogan-resnet-attention",
            role="discriminator",
            reader="ganzoo_sngan.studiogan_layouts:StudioSAGANDiscriminatorReader",
            summary="model=D-... of StudioGAN's resnet backbone with attention",
        ),
    ),
    recipe=SAGAN_RECIPE,
    paper=_STUDIO_PAPER,
)


@hookimpl
def ganzoo_architectures() -> list[Architecture]:
    """The architectures of this plugin."""
    return [_SNGAN, _SAGAN, _STUDIO_SNGAN, _STUDIO_SAGAN]
