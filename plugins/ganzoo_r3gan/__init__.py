"""R3GAN for the zoo: the modern GAN baseline of Huang et al. 2024."""

from ganzoo.hookspecs import hookimpl
from ganzoo.spec import Architecture, ConfigField, Layout, Role
from ganzoo_r3gan.recipe import R3GAN_RECIPE

_ROLES: tuple[Role, ...] = ("generator", "discriminator")
_LAYOUTS = (
    ("r3gan", "Wrapped", "authors' code, inside its training wrapper"),
    ("r3gan-bare", "Bare", "authors' code, without the wrapper"),
)

_R3GAN = Architecture(
    id="r3gan",
    summary="R3GAN: a plain residual GAN with a regularised relativistic loss, 32 to 256 pixels",
    modality="image",
    task="image-generation",
    networks={
        "generator": "ganzoo_r3gan.networks:R3GANGenerator",
        "discriminator": "ganzoo_r3gan.networks:R3GANDiscriminator",
    },
    config=(
        ConfigField(name="image_size", default=64, doc="pixels a side: a power of two of at least 4"),
        ConfigField(name="channels", default=3, doc="channels of the image"),
        ConfigField(name="latent_size", default=64, doc="entries of z", roles=("generator",)),
        ConfigField(name="width", default=768, doc="channels up to 32 pixels; halved at each doubling after that"),
        ConfigField(name="widths", default=None, doc="channels at each resolution, 4x4 first, instead of width"),
        ConfigField(name="cardinalities", default=None, doc="groups at each resolution, 4x4 first; else groups of 16 channels"),
        ConfigField(name="blocks", default=None, doc="residual blocks at each resolution, 4x4 first; else 2 at each"),
        ConfigField(name="expansion", default=2, doc="channels inside a residual block over those outside"),
        ConfigField(name="kernel_size", default=3, doc="of the grouped convolutions"),
        ConfigField(
            name="resampling_filter", default=(1, 2, 1), doc="taps of the interpolation; stored weights have their own"
        ),
        ConfigField(name="num_classes", default=0, doc="number of classes, 0 for none"),
        ConfigField(
            name="embedding_size", default=None, doc="entries of a class's embedding; else latent_size, or width at 4x4"
        ),
        ConfigField(name="bf16_stages", default=(), doc="resolutions computed in bfloat16, as indices; no state dict tells"),
    ),
    layouts=tuple(
        Layout(id=name, role=role, reader=f"ganzoo_r3gan.layouts:{prefix}{role.title()}", summary=f"{role} of the {where}")
        for role in _ROLES
        for name, prefix, where in _LAYOUTS
    ),
    recipe=R3GAN_RECIPE,
    paper="Huang, Gokaslan, Kuleshov and Tompkin 2024, arXiv:2501.05441",
)


@hookimpl
def ganzoo_architectures() -> list[Architecture]:
    """The architectures of this plugin."""
    return [_R3GAN]
