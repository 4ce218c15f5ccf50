"""The input of StyleGAN3: Fourier features of a plane that can be moved and turned (Karras et al. 2021, sec. 3.1)."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganzoo.errors import InvalidValueError
from ganzoo_stylegan.mapping import FullyConnected
from ganzoo_stylegan.stylegan3.geometry import Band

Offset = tuple[float, float]


class FourierFeatures(nn.Module):
    """Waves ``sin(2 pi (f . x + phase))``, mixed by a learnt matrix. The style moves and turns the plane they lie in.

    Args:
        w_dim: Entries of ``w``.
        band: What it makes.

    Attributes:
        transform: ``[3, 3]``: a transformation of the plane that every image gets besides, from pixels' places to the waves'.
    """

    freqs: Tensor
    phases: Tensor
    transform: Tensor

    def __init__(self, w_dim: int, band: Band) -> None:
        super().__init__()
        self.size, self.rate, self.cutoff = band.size, band.rate, band.cutoff
        freqs = torch.randn(band.channels, 2)
        radii = freqs.square().sum(1, keepdim=True).sqrt()
        self.register_buffer("transform", torch.eye(3))
        self.register_buffer("freqs", freqs / (radii * radii.square().exp().pow(0.25)) * band.cutoff)  # uniform in a disc
        self.register_buffer("phases", torch.rand(band.channels) - 0.5)
        self.weight = nn.Parameter(torch.randn(band.channels, band.channels))
        self.affine = FullyConnected(w_dim, 4, bias_init=[1.0, 0.0, 0.0, 0.0], weight_init=0.0)

    def forward(self, w: Tensor, placement: Tensor | None = None) -> Tensor:
        """``[N, channels, size, size]``.

        Args:
            w: Styles ``[N, w_dim]``.
            placement: ``[3, 3]`` or ``[N, 3, 3]``, see `placement`; None leaves the image where it is.
        """
        transform = self._learnt(w) @ self.transform
        if placement is not None:
            transform = transform @ placement.to(transform)
        phases = self.phases + (self.freqs @ transform[:, :2, 2:]).squeeze(2)
        freqs = self.freqs @ transform[:, :2, :2]
        # A transformation that magnifies frequencies beyond what the pixels can hold fades them out.
        fade = 1 - (freqs.norm(dim=2) - self.cutoff) / (self.rate / 2 - self.cutoff)
        waves = self._waves(freqs, phases) * fade.clamp(0, 1)[:, None, None]
        mixed: Tensor = F.linear(waves, self.weight / math.sqrt(self.weight.shape[1]))
        return mixed.permute(0, 3, 1, 2)

    def _learnt(self, w: Tensor) -> Tensor:
        """The style's own transformation ``[N, 3, 3]``: a rotation after a translation."""
        given = self.affine(w)
        cosine, sine, x, y = (given / given[:, :2].norm(dim=1, keepdim=True)).unbind(1)
        return matrices(cosine, sine, x, y)

    def _waves(self, freqs: Tensor, phases: Tensor) -> Tensor:
        """``[N, size, size, channels]``; the middle of the image is the origin, its width 1."""
        places = (torch.arange(self.size, dtype=freqs.dtype, device=freqs.device) + 0.5 - self.size / 2) / self.rate
        along, across = (places[:, None] * freqs[:, None, :, axis] for axis in (0, 1))
        return torch.sin((along[:, None] + (across + phases[:, None])[:, :, None]) * (2 * math.pi))


def matrices(cosine: Tensor, sine: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """``[..., 3, 3]``: takes a point, moves it by ``(-x, -y)``, then turns it."""
    zero, one = torch.zeros_like(x), torch.ones_like(x)
    turn = torch.stack([cosine, -sine, zero, sine, cosine, zero, zero, zero, one], -1).view(*x.shape, 3, 3)
    move = torch.stack([one, zero, -x, zero, one, -y, zero, zero, one], -1).view(*x.shape, 3, 3)
    return turn @ move


def placement(rotation: float | Tensor, translation: Offset | Tensor, like: Tensor) -> Tensor | None:
    """Where an image is to be, as `FourierFeatures` takes it; None where it stays.

    Args:
        rotation: Degrees, counter-clockwise; a number, or one for each image ``[N]``.
        translation: To the right and down, in widths of the image; two numbers, or two for each image ``[N, 2]``.
        like: A tensor of the wanted dtype and device.

    Returns:
        ``[1, 3, 3]`` or ``[N, 3, 3]``. The image is turned around its middle first and moved then.

    Raises:
        InvalidValueError: anything but finite numbers of that shape.
    """
    plain = not isinstance(rotation, Tensor) and not isinstance(translation, Tensor)
    if plain and rotation == 0 and translation in ((0, 0), [0, 0]):
        return None
    try:
        angle = torch.as_tensor(rotation, dtype=torch.float64, device=like.device).reshape(-1) * (math.pi / 180)
        x, y = torch.as_tensor(translation, dtype=torch.float64, device=like.device).reshape(-1, 2).unbind(1)
        count = max(len(angle), len(x))
        angle, x, y = angle.expand(count), x.expand(count), y.expand(count)
    except (TypeError, ValueError, RuntimeError) as e:
        raise _unusable(rotation, translation) from e
    if not torch.stack([angle, x, y]).isfinite().all():
        raise _unusable(rotation, translation)
    return matrices(angle.cos(), angle.sin(), x, y).to(like)


def _unusable(rotation: object, translation: object) -> InvalidValueError:
    return InvalidValueError(
        f"An image cannot be turned by {rotation!r} and moved by {translation!r}.",
        hint="rotation is a number of degrees, translation two numbers, to the right and down, in widths of the image.",
    )
