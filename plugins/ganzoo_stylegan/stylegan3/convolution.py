"""The convolution of StyleGAN3, whose weights a style scales (Karras et al. 2021, appendix F)."""

import torch
import torch.nn.functional as F
from torch import Tensor

EPS = 1e-8  # under the root of the demodulation


def styled_convolution(
    x: Tensor, weight: Tensor, bias: Tensor, styles: Tensor, gain: Tensor, *, demodulate: bool = True, independent: bool = False
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
        demodulate: Whether to do so.
        independent: Divide each sample's style by the root mean square of its own entries instead.

    Returns:
        ``[N, out, H + size - 1, W + size - 1]``.
    """
    taps = weight.shape[2] * weight.shape[3]
    if demodulate:
        squares = weight.square().sum((2, 3)) if taps > 1 else weight.flatten(1).square()
        power = styles.square().mean(1, keepdim=True) if independent else styles.square().mean()
        mean = squares.mean(1) / taps
        scale = torch.rsqrt(styles.square() @ squares.T + EPS * power * mean)
    else:
        power, mean = styles.new_ones(()), None
        scale = styles.new_ones(len(styles), len(weight))
    padding = weight.shape[2] - 1
    if len(x) == 1:
        scaled = weight * (scale.T * (styles * gain))[:, :, None, None]
        return F.conv2d(x, scaled.to(x.dtype), bias.to(x.dtype), padding=padding)
    # Scaling the pixels is cheaper here than weights for every sample; of unit power, nothing overflows in float16.
    root = power.sqrt()
    plain = weight if mean is None else weight * mean.rsqrt()[:, None, None, None]
    y = F.conv2d(x * (styles * (gain / root)).to(x.dtype)[:, :, None, None], plain.to(x.dtype), padding=padding)
    scale = scale * root if mean is None else scale * root * mean.sqrt()
    return torch.addcmul(bias.to(y.dtype)[:, None, None], y, scale.to(y.dtype)[:, :, None, None])
