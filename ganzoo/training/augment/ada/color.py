"""Colour transformations (Karras et al. 2020a, appendix B): one affine map of RGB for each image."""

import math

import torch
from torch import Tensor

from ganzoo.errors import ConfigError
from ganzoo.training.augment.ada.composition import composed
from ganzoo.training.augment.gates import HOST, changed_where
from ganzoo.training.draws import Draws

BRIGHTNESS = 0.2  # standard deviation
CONTRAST = 0.5  # standard deviation of the binary logarithm
SATURATION = 1.0  # standard deviation of the binary logarithm

_LUMA = torch.tensor([1.0, 1.0, 1.0, 0.0], dtype=torch.float64) / math.sqrt(3)
_ALONG = torch.outer(_LUMA, _LUMA)  # projection onto the luma axis
_HOMOGENEOUS = torch.diag(torch.tensor([0.0, 0.0, 0.0, 1.0], dtype=torch.float64))
_IDENTITY = torch.eye(4, dtype=torch.float64)
_ACROSS = _IDENTITY - _ALONG - _HOMOGENEOUS  # projection onto what is perpendicular to it


def color(images: Tensor, draws: Draws, p: float) -> Tensor:
    """Brightness, contrast, luma flip, hue and saturation, each drawn with probability ``p``.

    Brightness is ``+ N(0, 0.2²)``, contrast ``* 2 ** N(0, 0.5²)``, the luma flip has probability 1/2, the hue turns uniformly,
    the saturation is multiplied by ``2 ** N(0, 1)``. A grey image is treated as an RGB image of three equal channels, of which
    the mean is taken: hue and saturation leave it alone.

    Raises:
        ConfigError: neither one nor three channels.
    """
    n, channels = images.shape[:2]
    if channels not in {1, 3}:
        raise ConfigError(f"'ada-color' is for images of 1 or 3 channels, not of {channels}.", hint="Leave it out.")
    matrices, mask = _drawn(n, draws, p)
    return changed_where(mask, images, lambda x, index: recoloured(x, matrices[index]))


def recoloured(images: Tensor, matrices: Tensor) -> Tensor:
    """``matrices [N, 4, 4]`` applied to the homogeneous colours of ``images [N, 1 or 3, H, W]``."""
    matrices = matrices.to(images.dtype).to(images.device)
    linear, offset = matrices[:, :3, :3], matrices[:, :3, 3:]
    if images.shape[1] == 1:
        linear, offset = linear.sum(2, keepdim=True).mean(1, keepdim=True), offset.mean(1, keepdim=True)
    return torch.baddbmm(offset, linear, images.flatten(2)).view_as(images)


def _drawn(n: int, draws: Draws, p: float) -> tuple[Tensor, Tensor]:
    """Matrices ``[N, 4, 4]`` in the order of the paper, and whether they change anything, ``[N]``."""
    factors = [
        brightness(BRIGHTNESS * draws.normal(n, like=HOST)),
        contrast(torch.exp2(CONTRAST * draws.normal(n, like=HOST))),
        luma_flip(draws.integers(2, n, like=HOST)),
        hue((2 * draws.uniform(n, like=HOST) - 1) * math.pi),
        saturation(torch.exp2(SATURATION * draws.normal(n, like=HOST))),
    ]
    return composed([(p, factor) for factor in factors], draws)


def brightness(shift: Tensor) -> Tensor:
    """``[N, 4, 4]`` that add ``shift [N]`` to all channels."""
    matrices = _IDENTITY.repeat(len(shift), 1, 1)
    matrices[:, :3, 3] = shift[:, None]
    return matrices


def contrast(factor: Tensor) -> Tensor:
    """``[N, 4, 4]`` that multiply all channels by ``factor [N]``."""
    return torch.diag_embed(torch.cat((factor[:, None].expand(-1, 3), torch.ones_like(factor)[:, None]), 1))


def luma_flip(flipped: Tensor) -> Tensor:
    """``[N, 4, 4]`` that reflect the luma axis, leaving what is perpendicular to it, where ``flipped [N]`` is 1."""
    return _IDENTITY - 2 * _ALONG * flipped[:, None, None]


def hue(angle: Tensor) -> Tensor:
    """``[N, 4, 4]`` that turn about the luma axis by ``angle [N]`` in radians (red to green to blue)."""
    axis = _LUMA[0]
    cross = torch.zeros(4, 4, dtype=torch.float64)
    cross[0, 1] = cross[1, 2] = cross[2, 0] = -axis
    cross[1, 0] = cross[2, 1] = cross[0, 2] = axis
    cosine, sine = angle.cos()[:, None, None], angle.sin()[:, None, None]
    return _ALONG + _HOMOGENEOUS + _ACROSS * cosine + cross * sine  # Rodrigues' formula


def saturation(factor: Tensor) -> Tensor:
    """``[N, 4, 4]`` that multiply the distance from the luma axis by ``factor [N]``."""
    return _ALONG + _HOMOGENEOUS + _ACROSS * factor[:, None, None]
