"""Spectral normalisation (Miyato et al. 2018, arXiv:1802.05957): a layer's weight divided by its largest singular value.

The singular value is estimated from two vectors, ``weight_u`` and ``weight_v``, that are part of the state. In training each
forward pass improves them by one power iteration (Algorithm 1); in evaluation they are used as they are. The names are those of
PyTorch's first implementation, so that checkpoints made with it fit.

Other implementations keep ``weight_u`` only and compute one power iteration in every forward pass: the Recomputed layers.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def _full_precision(weight: Tensor) -> torch.autocast:
    """The vectors are carried from pass to pass in the weight's own precision, also where layers compute in half of it."""
    return torch.autocast(weight.device.type, enabled=False)


class SpectralNorm(nn.Module):
    """Mixed into a layer that has a ``weight``; the layer then has ``weight_orig``, ``weight_u`` and ``weight_v`` instead."""

    weight_orig: nn.Parameter
    weight_u: Tensor
    weight_v: Tensor
    eps: float
    output_axis = 0

    def normalise_weight(self, eps: float) -> None:
        """Takes the layer's weight over; call once, at the end of the constructor. ``eps`` keeps norms from being zero."""
        self.eps = eps
        weight = self._parameters.pop("weight")
        assert weight is not None
        matrix = self._matrix(weight.detach())
        self.weight_orig = nn.Parameter(weight.detach())
        self.register_buffer("weight_u", F.normalize(torch.randn(matrix.shape[0]), dim=0, eps=eps))
        self.register_buffer("weight_v", F.normalize(torch.randn(matrix.shape[1]), dim=0, eps=eps))

    def normalised_weight(self) -> Tensor:
        """The weight over its estimated largest singular value; differentiable in the weight, not in the two vectors."""
        with _full_precision(self.weight_orig):
            matrix = self._matrix(self.weight_orig)
            if self.training:
                self._iterate(matrix)
            return self.weight_orig / torch.dot(self.weight_u, torch.mv(matrix, self.weight_v))

    @torch.no_grad()
    def _iterate(self, matrix: Tensor) -> None:
        # New vectors instead of changed ones: the graph of the pass before may still need those, also when it is compiled.
        self.weight_v = F.normalize(torch.mv(matrix.t(), self.weight_u), dim=0, eps=self.eps)
        self.weight_u = F.normalize(torch.mv(matrix, self.weight_v), dim=0, eps=self.eps)

    def _matrix(self, weight: Tensor) -> Tensor:
        """``weight`` as a matrix ``[outputs, everything else]``."""
        matrix: Tensor = weight.transpose(0, self.output_axis).flatten(1)
        return matrix


class RecomputedSpectralNorm(SpectralNorm):
    """`SpectralNorm` that computes one power iteration in evaluation too, without storing it, and so needs no ``weight_v``.

    The singular value of the last training pass is kept in ``weight_sigma [1]``, to be looked at; nothing depends on it.
    """

    weight_sigma: Tensor

    def normalise_weight(self, eps: float) -> None:
        """As in `SpectralNorm`."""
        super().normalise_weight(eps)
        del self.weight_v
        self.register_buffer("weight_sigma", torch.ones(1))

    def normalised_weight(self) -> Tensor:
        """The weight over its estimated largest singular value; differentiable in the weight, not in the two vectors."""
        with _full_precision(self.weight_orig):
            matrix = self._matrix(self.weight_orig)
            with torch.no_grad():
                v = F.normalize(torch.mv(matrix.t(), self.weight_u), dim=0, eps=self.eps)
                u = F.normalize(torch.mv(matrix, v), dim=0, eps=self.eps)
            sigma = torch.dot(u, torch.mv(matrix, v))
        if self.training:
            self.weight_u, self.weight_sigma = u, sigma.detach().reshape(1)
        return self.weight_orig / sigma


class SpectralConv2d(SpectralNorm, nn.Conv2d):
    """`torch.nn.Conv2d` with spectral normalisation. Arguments as there, and ``eps``."""

    def __init__(self, *args: Any, eps: float = 1e-12, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.normalise_weight(eps)

    def forward(self, x: Tensor) -> Tensor:
        """``[N, C, H, W]`` to ``[N, C', H', W']``."""
        convolved: Tensor = self._conv_forward(x, self.normalised_weight(), self.bias)
        return convolved


class SpectralConvTranspose2d(SpectralNorm, nn.ConvTranspose2d):
    """`torch.nn.ConvTranspose2d` (without ``output_size``) with spectral normalisation. Arguments as there, and ``eps``."""

    output_axis = 1

    def __init__(self, *args: Any, eps: float = 1e-12, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.normalise_weight(eps)

    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]  # without output_size
        """``[N, C, H, W]`` to ``[N, C', H', W']``."""
        weight, padding = self.normalised_weight(), self.padding
        assert not isinstance(padding, str)  # only plain convolutions know padding by name
        return F.conv_transpose2d(x, weight, self.bias, self.stride, padding, self.output_padding, self.groups, self.dilation)


class SpectralLinear(SpectralNorm, nn.Linear):
    """`torch.nn.Linear` with spectral normalisation. Arguments as there, and ``eps``."""

    def __init__(self, *args: Any, eps: float = 1e-12, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.normalise_weight(eps)

    def forward(self, x: Tensor) -> Tensor:
        """``[..., in_features]`` to ``[..., out_features]``."""
        return F.linear(x, self.normalised_weight(), self.bias)


class SpectralEmbedding(SpectralNorm, nn.Embedding):
    """`torch.nn.Embedding` (without its options) with spectral normalisation."""

    def __init__(self, num_embeddings: int, embedding_dim: int, *, eps: float = 1e-12) -> None:
        super().__init__(num_embeddings, embedding_dim)
        self.normalise_weight(eps)

    def forward(self, x: Tensor) -> Tensor:
        """Indices ``[...]`` to vectors ``[..., embedding_dim]``."""
        return F.embedding(x, self.normalised_weight())


class RecomputedSpectralConv2d(RecomputedSpectralNorm, SpectralConv2d):
    """`SpectralConv2d` with `RecomputedSpectralNorm`."""


class RecomputedSpectralConvTranspose2d(RecomputedSpectralNorm, SpectralConvTranspose2d):
    """`SpectralConvTranspose2d` with `RecomputedSpectralNorm`."""


class RecomputedSpectralLinear(RecomputedSpectralNorm, SpectralLinear):
    """`SpectralLinear` with `RecomputedSpectralNorm`."""


class RecomputedSpectralEmbedding(RecomputedSpectralNorm, SpectralEmbedding):
    """`SpectralEmbedding` with `RecomputedSpectralNorm`."""
