"""What the plugin registers of this version. Light: no torch."""

from ganzoo.spec import Architecture, ConfigField, Layout, Role
from ganzoo_stylegan.stylegan1.recipe import STYLEGAN1_RECIPE, STYLEGAN1_RECIPES

_G: tuple[Role, ...] = ("generator",)
_D: tuple[Role, ...] = ("discriminator",)
_LAYOUTS = "ganzoo_stylegan.stylegan1"

_STYLEGAN1 = Architecture(
    id="stylegan",
    summary="StyleGAN: a generator that a learned style controls at every resolution, 4 to 1024 pixels",
    modality="image",
    task="image-generation",
    networks={
        "generator": "ganzoo_stylegan.stylegan1.networks:StyleGAN1Generator",
        "discriminator": "ganzoo_stylegan.stylegan1.networks:StyleGAN1Discriminator",
    },
    config=(
        ConfigField(name="image_size", default=1024, doc="pixels a side: a power of two of at least 4"),
        ConfigField(name="channels", default=3, doc="channels of the image"),
        ConfigField(name="z_dim", default=512, doc="entries of z", roles=_G),
        ConfigField(name="w_dim", default=512, doc="entries of w", roles=_G),
        ConfigField(name="num_classes", default=0, doc="number of classes, 0 for none"),
        ConfigField(name="class_names", default=None, doc="their names in order", roles=_G),
        ConfigField(name="mapping_layers", default=8, doc="layers from z to w", roles=_G),
        ConfigField(name="mapping_width", default=512, doc="entries between them", roles=_G),
        ConfigField(name="mapping_lr", default=0.01, doc="how much slower they learn; no state dict tells", roles=_G),
        ConfigField(name="channel_base", default=16384, doc="channels times pixels a side, where less than channel_max"),
        ConfigField(name="channel_max", default=512, doc="most channels of a layer"),
        ConfigField(name="widths", default=None, doc="channels at each resolution, 4x4 first, instead of both"),
        ConfigField(name="const_input", default=True, doc="begin with learned feature maps, else with a map of w", roles=_G),
        ConfigField(
            name="fused_up",
            default=None,
            doc="turn the kernels of up-sampling layers; none: from 128 pixels on; no state dict tells",
            roles=_G,
        ),
        ConfigField(name="blur", default=(1, 2, 1), doc="taps of the filter next to a change of resolution; none: no filter"),
        ConfigField(name="noise", default="spatial", doc="spatial, channel or none", roles=_G),
        ConfigField(name="growing", default=True, doc="layers for smaller images, as progressive growing needs them"),
        ConfigField(name="final_tanh", default=False, doc="end with a tanh; no state dict tells", roles=_G),
        ConfigField(name="norm_eps", default=1e-8, doc="of the instance normalisation", roles=_G),
        ConfigField(name="equalised", default=True, doc="weights have unit variance and are scaled; no state dict tells"),
        ConfigField(name="truncation_cutoff", default=8, doc="layers that truncation applies to; none: all", roles=_G),
        ConfigField(name="style_mixing", default=0.9, doc="share of images of two latents while training", roles=_G),
        ConfigField(name="dense_width", default=None, doc="entries between the last two layers; none: by width", roles=_D),
        ConfigField(name="std_group", default=4, doc="images compared in a group; no state dict tells", roles=_D),
        ConfigField(name="std_channels", default=1, doc="feature maps that say how much they differ", roles=_D),
    ),
    layouts=(
        Layout(
            id="stylegan-tf",
            role="generator",
            reader=f"{_LAYOUTS}.tf_layouts:TensorFlowGenerator",
            summary="G and Gs of the authors' TensorFlow pickles",
        ),
        Layout(
            id="stylegan-tf-dense",
            role="generator",
            reader=f"{_LAYOUTS}.tf_layouts:TensorFlowDenseGenerator",
            summary="the same without a learned constant",
        ),
        Layout(
            id="stylegan-tf",
            role="discriminator",
            reader=f"{_LAYOUTS}.tf_layouts:TensorFlowDiscriminator",
            summary="D of the authors' TensorFlow pickles",
        ),
        Layout(
            id="stylegan-genforce",
            role="generator",
            reader=f"{_LAYOUTS}.layouts:GenforceGenerator",
            summary="generator and generator_smooth of genforce's .pth",
        ),
        Layout(
            id="stylegan-genforce",
            role="discriminator",
            reader=f"{_LAYOUTS}.layouts:GenforceDiscriminator",
            summary="discriminator of genforce's .pth",
        ),
    ),
    recipe=STYLEGAN1_RECIPE,
    recipes=STYLEGAN1_RECIPES,
    paper="Karras, Laine and Aila 2019, arXiv:1812.04948",
)

ARCHITECTURES: tuple[Architecture, ...] = (_STYLEGAN1,)
