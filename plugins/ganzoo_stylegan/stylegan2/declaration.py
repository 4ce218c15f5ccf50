"""What the plugin registers of StyleGAN2. Light: no torch."""

from ganzoo.spec import Architecture, ConfigField, Layout, Role
from ganzoo_stylegan.stylegan2.recipe import RECIPES, STYLEGAN2_RECIPE

_G: tuple[Role, ...] = ("generator",)
_D: tuple[Role, ...] = ("discriminator",)
_ROLES: tuple[Role, ...] = ("generator", "discriminator")
_READERS = (
    ("stylegan2", "layouts:Nvidia", "NVIDIA's PyTorch programs, stylegan2-ada-pytorch and stylegan3"),
    ("stylegan2-tensorflow", "tensorflow:TensorFlow", "NVIDIA's TensorFlow programs, configurations E and F"),
    ("stylegan2-rosinality", "rosinality:Rosinality", "rosinality's stylegan2-pytorch"),
    ("stylegan2-genforce", "genforce:Genforce", "genforce's port of the TensorFlow program"),
)

_GENERATOR_FIELDS = (
    ConfigField(name="z_dim", default=512, doc="entries of z", roles=_G),
    ConfigField(name="w_dim", default=512, doc="entries of w", roles=_G),
)
_MAPPING = (
    ConfigField(name="mapping_layers", default=8, doc="layers from z to w, or from the class to its vector"),
    ConfigField(name="mapping_lr", default=0.01, doc="learning rate multiplier of these layers; state dicts do not tell"),
    ConfigField(name="mapping_width", default=None, doc="entries between these layers; none: as many as they end in"),
    ConfigField(name="mapping_activation", default="lrelu", doc="of these layers; state dicts do not tell"),
    ConfigField(name="embedding_size", default=None, doc="entries of an embedded class; none: as many as the layers end in"),
)
_NUMERIC = (
    ConfigField(name="activation", default="lrelu", doc="of the convolutions; state dicts do not tell"),
    ConfigField(
        name="resample_filter", default=(1, 3, 3, 1), doc="taps for changes of resolution; stored weights have their own"
    ),
    ConfigField(
        name="conv_clamp", default=None, doc="largest magnitude that leaves a layer, 256 with float16; state dicts do not tell"
    ),
    ConfigField(name="kernel_size", default=3, doc="of the convolutions, odd"),
)
_HALF = ConfigField(name="num_fp16_res", default=0, doc="resolutions in float16, from the largest on; not on a CPU")

STYLEGAN2 = Architecture(
    id="stylegan2",
    summary="StyleGAN2, with or without adaptive augmentation: a style for every layer, weights demodulated",
    modality="image",
    task="image-generation",
    networks={
        "generator": "ganzoo_stylegan.stylegan2.networks:StyleGAN2Generator",
        "discriminator": "ganzoo_stylegan.stylegan2.discriminator:StyleGAN2Discriminator",
    },
    config=(
        ConfigField(name="image_size", default=256, doc="pixels a side: a power of two, at least 4 (discriminator: 8)"),
        ConfigField(name="channels", default=3, doc="channels of the image"),
        *_GENERATOR_FIELDS,
        ConfigField(name="num_classes", default=0, doc="number of classes; 0: unconditional"),
        ConfigField(name="channel_base", default=32768, doc="channels times pixels a side, up to channel_max"),
        ConfigField(name="channel_max", default=512, doc="most channels of a layer"),
        ConfigField(name="widths", default=None, doc="channels at each resolution, 4x4 first, instead of both"),
        ConfigField(
            name="architecture", default=None, doc="skip (the generator's default), resnet (the discriminator's) or orig"
        ),
        *_NUMERIC,
        ConfigField(name="use_noise", default=True, doc="whether layers add noise", roles=_G),
        _HALF,
        *_MAPPING,
        ConfigField(name="equalised", default=False, doc="divide modulated weights by the root of their inputs", roles=_G),
        ConfigField(name="w_avg_beta", default=0.998, doc="what the average of w keeps at a training step", roles=_G),
        ConfigField(name="style_mixing", default=0.9, doc="share of training images made from two latents", roles=_G),
        ConfigField(
            name="mbstd_group_size", default=4, doc="images compared with each other; state dicts do not tell", roles=_D
        ),
        ConfigField(name="mbstd_channels", default=1, doc="channels that say how much they differ", roles=_D),
        ConfigField(name="class_vector_size", default=None, doc="entries of a mapped class; none: the width at 4x4", roles=_D),
        ConfigField(name="image_filter", default=None, doc="taps for enlarging images; none: those for features", roles=_G),
        ConfigField(name="end_activation", default=None, doc="activation at 4x4; none: that of the other layers", roles=_D),
    ),
    layouts=tuple(
        Layout(id=name, role=role, reader=f"ganzoo_stylegan.stylegan2.{prefix}{role.title()}", summary=f"{role} of {where}")
        for role in _ROLES
        for name, prefix, where in _READERS
    ),
    recipe=STYLEGAN2_RECIPE,
    recipes=RECIPES,
    paper="Karras, Laine, Aittala, Hellsten, Lehtinen and Aila 2020, arXiv:1912.04958; Karras et al. 2020, arXiv:2006.06676",
)

ARCHITECTURES: tuple[Architecture, ...] = (STYLEGAN2,)
