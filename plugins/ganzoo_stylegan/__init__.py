"""StyleGAN, StyleGAN2 and StyleGAN3 for the zoo, as NVIDIA's programs and their common ports store them."""

from ganzoo.hookspecs import hookimpl
from ganzoo.spec import Architecture, Part
from ganzoo_stylegan.stylegan1.declaration import ARCHITECTURES as STYLEGAN1
from ganzoo_stylegan.stylegan2.declaration import ARCHITECTURES as STYLEGAN2
from ganzoo_stylegan.stylegan3.declaration import ARCHITECTURES as STYLEGAN3
from ganzoo_stylegan.stylegan3.declaration import AUGMENTATIONS


@hookimpl
def ganzoo_architectures() -> list[Architecture]:
    """The architectures of this plugin."""
    return [*STYLEGAN1, *STYLEGAN2, *STYLEGAN3]


@hookimpl
def ganzoo_augmentations() -> list[Part]:
    """The augmentations of this plugin."""
    return list(AUGMENTATIONS)
