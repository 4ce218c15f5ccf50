"""What the plugin registers of this version. Light: no torch."""

from msgspec.structs import replace

from ganzoo.spec import Architecture, ConfigField, Layout, Part, Role
from ganzoo_stylegan.stylegan2.declaration import STYLEGAN2
from ganzoo_stylegan.stylegan3.geometry import LAST_STOPBAND, STOPBAND
from ganzoo_stylegan.stylegan3.recipe import BLUR, RECIPES, STYLEGAN3_RECIPE

_G: tuple[Role, ...] = ("generator",)
_D: tuple[Role, ...] = ("discriminator",)
_SHARED = ("image_size", "channels", "num_classes")
# The discriminator is StyleGAN2's.
_DISCRIMINATOR = tuple(
    replace(field, roles=_D) for field in STYLEGAN2.config if "discriminator" in field.roles and field.name not in _SHARED
)

_STYLEGAN3 = Architecture(
    id="stylegan3",
    summary="Alias-free style-based GAN, configurations T and R: its images follow translations, with R rotations, too",
    modality="image",
    task="image-generation",
    networks={
        "generator": "ganzoo_stylegan.stylegan3.networks:StyleGAN3Generator",
        "discriminator": STYLEGAN2.networks["discriminator"],
    },
    config=(
        ConfigField(name="image_size", default=256, doc="pixels a side; the discriminator judges powers of two of at least 8"),
        ConfigField(name="channels", default=3, doc="channels of the image"),
        ConfigField(name="z_dim", default=512, doc="entries of z", roles=_G),
        ConfigField(name="w_dim", default=512, doc="entries of w", roles=_G),
        ConfigField(name="num_classes", default=0, doc="number of classes; 0: unconditional"),
        ConfigField(name="mapping_layers", default=2, doc="layers from z to w", roles=_G),
        ConfigField(name="mapping_lr", default=0.01, doc="learning rate multiplier of these layers", roles=_G),
        ConfigField(name="channel_base", default=32768, doc="channels of a layer times twice its cutoff; R: 65536", roles=_G),
        ConfigField(name="channel_max", default=512, doc="most channels of a layer; R: 1024", roles=_G),
        ConfigField(name="layers", default=14, doc="of the synthesis, but for the one that makes the image", roles=_G),
        ConfigField(name="critical_layers", default=2, doc="last layers that are sampled critically", roles=_G),
        ConfigField(name="first_cutoff", default=2, doc="of the first layer, in cycles over the image's width", roles=_G),
        ConfigField(name="first_stopband", default=STOPBAND, doc="where it stops everything, likewise", roles=_G),
        ConfigField(
            name="last_stopband", default=LAST_STOPBAND, doc="the same of the last layers, over their cutoff", roles=_G
        ),
        ConfigField(name="margin", default=10, doc="pixels that layers compute around the image, at their own rates", roles=_G),
        ConfigField(name="kernel_size", default=3, doc="of the convolutions; T has 3, R has 1", roles=_G),
        ConfigField(name="radial", default=False, doc="rotationally symmetric filters: R", roles=_G),
        ConfigField(name="filter_size", default=6, doc="taps of a filter over its factor", roles=_G),
        ConfigField(name="oversampling", default=2, doc="of the leaky ReLU", roles=_G),
        ConfigField(name="output_scale", default=0.25, doc="of the image; no state dict tells", roles=_G),
        ConfigField(name="conv_clamp", default=256, doc="largest magnitude of an activation; no state dict tells", roles=_G),
        ConfigField(name="magnitude_beta", default=0.999, doc="decay of the averages of magnitudes while training", roles=_G),
        ConfigField(name="w_avg_beta", default=0.998, doc="decay of the average of w while training", roles=_G),
        ConfigField(name="num_fp16_res", default=4, doc="largest resolutions computed in float16, but on a CPU", roles=_G),
        *_DISCRIMINATOR,
    ),
    layouts=(
        Layout(
            id="nvidia-pytorch",
            role="generator",
            reader="ganzoo_stylegan.stylegan3.layouts:NvidiaGenerator",
            summary="G and G_ema of NVIDIA's stylegan3: network pickles, or their state dicts",
        ),
        Layout(
            id="nvidia-pytorch",
            role="discriminator",
            reader="ganzoo_stylegan.stylegan2.layouts:NvidiaDiscriminator",
            summary="D of NVIDIA's stylegan3, which is StyleGAN2's: network pickles, or their state dicts",
        ),
    ),
    recipe=STYLEGAN3_RECIPE,
    recipes=dict(RECIPES),
    paper="Karras, Aittala, Laine, Härkönen, Hellsten, Lehtinen and Aila 2021, arXiv:2106.12423",
)

ARCHITECTURES: tuple[Architecture, ...] = (_STYLEGAN3,)

AUGMENTATIONS: tuple[Part, ...] = (
    Part(
        id=BLUR,
        summary="all images blurred, by 10 pixels times p (Karras et al. 2021)",
        target="ganzoo_stylegan.stylegan3.blur:blur",
    ),
)
