"""Toy problems for the zoo: points of the plane, where the adversarial game can be seen."""

from ganzoo.hookspecs import hookimpl
from ganzoo.spec import Architecture, ConfigField, Part
from ganzoo_toys.recipe import MLP_RECIPE

_MLP = Architecture(
    id="mlp-gan",
    summary="Multilayer perceptrons on points, for toy problems",
    modality="vector",
    task="unconditional-generation",
    networks={"generator": "ganzoo_toys.networks:MLPGenerator", "discriminator": "ganzoo_toys.networks:MLPDiscriminator"},
    config=(
        ConfigField(name="latent_size", default=2, doc="entries of z", roles=("generator",)),
        ConfigField(name="output_size", default=2, doc="numbers of a point"),
        ConfigField(name="width", default=128, doc="units of each hidden layer"),
        ConfigField(name="depth", default=3, doc="hidden layers"),
    ),
    recipe=MLP_RECIPE,
    paper="Goodfellow et al. 2014, arXiv:1406.2661",
)

_DATASETS = (
    Part(
        id="gaussians-8",
        summary="100,000 points: 8 Gaussians on a ring of radius 2, sigma 0.02; labels are the modes; splits train, test",
        target="ganzoo_toys.points:gaussians_8",
    ),
    Part(
        id="gaussians-25",
        summary="100,000 points: 25 Gaussians on a 5x5 grid of spacing 2, sigma 0.05; labels are the modes; splits train, test",
        target="ganzoo_toys.points:gaussians_25",
    ),
    Part(
        id="swiss-roll",
        summary="100,000 points of a spiral in the plane; splits train, test",
        target="ganzoo_toys.points:swiss_roll",
    ),
)

_MODES = Part(
    id="gaussian-modes",
    summary="modes captured, share of samples within 3 sigma of one, reverse KL over the modes (Lin et al. 2018)",
    target="ganzoo_toys.modes:gaussian_modes",
)


@hookimpl
def ganzoo_architectures() -> list[Architecture]:
    """The architectures of this plugin."""
    return [_MLP]


@hookimpl
def ganzoo_datasets() -> list[Part]:
    """The data sets of this plugin."""
    return list(_DATASETS)


@hookimpl
def ganzoo_metrics() -> list[Part]:
    """The metrics of this plugin."""
    return [_MODES]
