"""What the plugin registers of this version. Light: no torch."""

from ganzoo.spec import Architecture, ConfigField, Layout, Role
from ganzoo_stylegan.stylegan1.recipe import STYLEGAN1_RECIPE, STYLEGAN1_RECIPES

_G: tuple[Role, ...] = ("generator",)
_D: tuple[Role, ...] = ("discriminator",)
_LAYOUTS: tuple[tuple[str, Role, str, str], ...] = (
    ("stylegan-tf", "generator", "tf_layouts:TensorFlowGenerator", "G and Gs of the authors' TensorFlow pickles"),
    ("stylegan-tf-dense", "generator", "tf_layouts:TensorFlowDenseGenerator", "the same without a learned constant"),
    ("stylegan-tf", "discriminator", "tf_layouts:TensorFlowDiscriminator", "D of the authors' TensorFlow pickles"),
    ("stylegan-genforce", "generator", "layouts:GenforceGenerator", "generator and generator_smooth of genforce's .pth"),
    ("stylegan-genforce", "discriminator", "layouts:GenforceDiscriminator", "discriminator of genforce's .pth"),
    ("stylegan-lernapparat", "generator", "lernapparat:LernapparatGenerator", "lernapparat's ….for_g_all.pt"),
    ("stylegan-lernapparat", "discriminator", "lernapparat:LernapparatDiscriminator", "lernapparat's ….for_d_basic.pt"),
    ("stylegan-gan-zoo", "generator", "gan_zoo:GanZooGenerator", "netG and avgG of pytorch_GAN_zoo's StyleGAN"),
    ("stylegan-rosinality", "generator", "rosinality:RosinalityGenerator", "g_running of rosinality's style-based-gan-pytorch"),
    ("stylegan-rosinality", "discriminator", "rosinality_critic:RosinalityDiscriminator", "its discriminator"),
)

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
        ConfigField(name="mapping_layers", default=8, doc="layers from z to w", roles=_G),
        ConfigField(name="mapping_width", default=512, doc="entries between them", roles=_G),
        ConfigField(name="mapping_lr", default=0.01, doc="how much slower they learn; no state dict tells", roles=_G),
        ConfigField(name="w_per_layer", default=False, doc="the mapping ends in a w for each layer", roles=_G),
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
        ConfigField(name="blurred_bias", default=False, doc="up-sampling layers add their bias before the filter", roles=_G),
        ConfigField(name="noise", default="spatial", doc="spatial, shared (by two layers), channel or none", roles=_G),
        ConfigField(name="growing", default=True, doc="layers for smaller images, as progressive growing needs them"),
        ConfigField(name="final_tanh", default=False, doc="end with a tanh; no state dict tells", roles=_G),
        ConfigField(name="norm_eps", default=1e-8, doc="of the instance normalisation", roles=_G),
        ConfigField(name="equalised", default=True, doc="weights have unit variance and are scaled; no state dict tells"),
        ConfigField(name="truncation_cutoff", default=8, doc="layers that truncation applies to; none: all", roles=_G),
        ConfigField(name="style_mixing", default=0.9, doc="share of images of two latents while training", roles=_G),
        ConfigField(name="dense_width", default=None, doc="entries between the last two layers; none: by width", roles=_D),
        ConfigField(name="widens_first", default=False, doc="of two convolutions the first changes the width", roles=_D),
        ConfigField(name="image_activation", default=True, doc="a leaky ReLU after the layers that see the image", roles=_D),
        ConfigField(name="std_group", default=4, doc="images compared in a group; none: all; no state dict tells", roles=_D),
        ConfigField(name="std_channels", default=1, doc="feature maps that say how much they differ", roles=_D),
    ),
    layouts=tuple(
        Layout(id=name, role=role, reader=f"ganzoo_stylegan.stylegan1.{reader}", summary=summary)
        for name, role, reader, summary in _LAYOUTS
    ),
    recipe=STYLEGAN1_RECIPE,
    recipes=STYLEGAN1_RECIPES,
    paper="Karras, Laine and Aila 2019, arXiv:1812.04948",
)

ARCHITECTURES: tuple[Architecture, ...] = (_STYLEGAN1,)
