"""DCGAN for the zoo: the architecture of Radford et al. 2016 and the variant of StudioGAN."""

from ganzoo.hookspecs import hookimpl
from ganzoo.spec import Architecture, ConfigField, Layout
from ganzoo_dcgan.recipe import DCGAN_RECIPE

_DCGAN = Architecture(
    id="dcgan",
    summary="Deep convolutional GAN: strided convolutions and batch normalisation, 8 to 512 pixels",
    modality="image",
    task="unconditional-generation",
    networks={
        "generator": "ganzoo_dcgan.networks:DCGANGenerator",
        "discriminator": "ganzoo_dcgan.networks:DCGANDiscriminator",
    },
    config=(
        ConfigField(name="image_size", default=64, doc="pixels a side: 28, or a power of two of at least 8"),
        ConfigField(name="channels", default=3, doc="channels of the image"),
        ConfigField(name="latent_size", default=100, doc="entries of z", roles=("generator",)),
        ConfigField(name="width", default=64, doc="channels of the layer next to the image; doubled at each halving"),
        ConfigField(name="widths", default=None, doc="channels of every hidden layer in order, instead of width"),
        ConfigField(name="num_classes", default=0, doc="number of classes; 0 for an unconditional network"),
        ConfigField(
            name="conditioning",
            default=None,
            doc="with classes; generator: batch-norm (default), concat; discriminator: projection (default), concat, auxiliary",
        ),
    ),
    layouts=(
        Layout(
            id="pytorch-tutorial",
            role="generator",
            reader="ganzoo_dcgan.layouts:TutorialGenerator",
            summary="netG of the PyTorch DCGAN tutorial and examples",
        ),
        Layout(
            id="pytorch-tutorial",
            role="discriminator",
            reader="ganzoo_dcgan.layouts:TutorialDiscriminator",
            summary="netD of the PyTorch DCGAN tutorial and examples",
        ),
    ),
    recipe=DCGAN_RECIPE,
    paper="Radford, Metz and Chintala 2016, arXiv:1511.06434",
)

_STUDIO = Architecture(
    id="studiogan-dcgan",
    summary="StudioGAN's DCGAN at 32 pixels, with spectral norm, attention and class conditioning to choose from",
    modality="image",
    task="image-generation",
    networks={
        "generator": "ganzoo_dcgan.studiogan:StudioDCGANGenerator",
        "discriminator": "ganzoo_dcgan.studiogan:StudioDCGANDiscriminator",
    },
    config=(
        ConfigField(name="latent_size", default=100, doc="entries of z", roles=("generator",)),
        ConfigField(name="channels", default=3, doc="channels of the image"),
        ConfigField(name="width", default=64, doc="channels of the layer next to the image; doubled at each halving"),
        ConfigField(name="activation", default="ReLU", doc="ReLU, Leaky_ReLU, ELU or GELU; no checkpoint tells which"),
        ConfigField(name="spectral_norm", default=False, doc="normalise every layer's weight"),
        ConfigField(name="attention", default=(), doc="after which of the stages 1, 2, 3 self attention stands"),
        ConfigField(name="conditioning", default="none", doc="none; generator: cBN; discriminator: AC, PD, MH, MD, 2C, D2DCE"),
        ConfigField(name="num_classes", default=0, doc="number of classes, where conditional"),
        ConfigField(name="embedding_size", default=512, doc="of 2C and D2DCE", roles=("discriminator",)),
        ConfigField(
            name="normalize_embedding",
            default=False,
            doc="scale features or embeddings to unit length; no checkpoint tells",
            roles=("discriminator",),
        ),
        ConfigField(name="auxiliary", default="none", doc="none, TAC or ADC", roles=("discriminator",)),
        ConfigField(name="initialisation", default="orthogonal", doc="orthogonal, normal or xavier"),
    ),
    layouts=(
        Layout(
            id="studiogan-deep-conv",
            role="generator",
            reader="ganzoo_dcgan.layouts:StudioGenerator",
            summary="model=G-... of StudioGAN's deep_conv backbone",
        ),
        Layout(
            id="studiogan-deep-conv",
            role="discriminator",
            reader="ganzoo_dcgan.layouts:StudioDiscriminator",
            summary="model=D-... of StudioGAN's deep_conv backbone",
        ),
    ),
    recipe=DCGAN_RECIPE,
    paper="Kang, Shin and Park 2023, arXiv:2206.09479",
)


@hookimpl
def ganzoo_architectures() -> list[Architecture]:
    """The architectures of this plugin."""
    return [_DCGAN, _STUDIO]
