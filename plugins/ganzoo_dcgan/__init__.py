"""DCGAN for the zoo: the architecture of Radford et al. 2016 and the variant of StudioGAN."""

from ganzoo_dcgan.recipe import DCGAN_RECIPE

from ganzoo.hookspecs import hookimpl
from ganzoo.spec import Architecture, ConfigField, Layout

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


@hookimpl
def ganzoo_architectures() -> list[Architecture]:
    """The architectures of this plugin."""
    return [_DCGAN]
