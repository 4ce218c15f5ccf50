"""The convolution of StyleGAN3, whose weights a style scales (Karras et al. 2021, appendix F)."""

import torch
from torch import Tensor

from ganzoo.nn.folding import convolve

EPS = 1e-8  # under the root of the demodulation


def styled_convolution(
    x: Tensor,
    weight: Tensor,
    bias: Tensor,
    styles: Tensor,
    gain: Tensor,
    *,
    squares: Tensor | None = None,
    independent: bool = False,
) -> Tensor:
    """Convolves each sample with ``gain`` times weights that its style has scaled, and adds a bias.

    With demodulation, weights ``w [out, in, ...]`` are first divided by the root mean square of each output and styles ``s``
    by that of all the batch's entries; ``w * s`` is then brought to unit norm, up to an epsilon. Both divisions cancel but in
    front of that epsilon, so they are made there.

    Args:
        x: ``[N, in, H, W]``; computed in its dtype.
        weight: ``[out, in, size, size]``.
        bias: ``[out]``.
        styles: ``[N, in]``.
        gain: Of the input, a scalar that demodulation does not see.
        squares: The squared norms of the weight's kernels, ``[out, in]``; None does not demodulate.
        independent: Divide each sample's style by the root mean square of its own entries instead.

    Returns:
        ``[N, out, H + size - 1, W + size - 1]``.
    """
    taps = weight.shape[2] * weight.shape[3]
    if squares is not None:
        power = styles.square().mean(1, keepdim=True) if independent else styles.square().mean()
        mean = squares.mean(1) / taps
        scale = torch.rsqrt(styles.square() @ squares.T + EPS * power * mean)
    else:
        power, mean = styles.new_ones(()), None
        scale = styles.new_ones(styles.shape[0], weight.shape[0])
    padding = weight.shape[2] - 1
    if x.shape[0] == 1:
        scaled = weight * (scale.T * (styles * gain))[:, :, None, None]
        return convolve(x, scaled.to(x.dtype), bias.to(x.dtype), (padding, padding))
    # Scaling the pixels is cheaper here than weights for every sample; of unit power, nothing overflows in float16.
    root = power.sqrt()
    plain = weight if mean is None else weight * mean.rsqrt()[:, None, None, None]
    y = convolve(x * (styles * (gain / root)).to(x.dtype)[:, :, None, None], plain.to(x.dtype), padding=(padding, padding))
    scale = scale * root if mean is None else scale * root * mean.sqrt()
    return torch.addcmul(bias.to(y.dtype)[:, None, None], y, scale.to(y.dtype)[:, :, None, None])
