"""Convolutions whose weights a style scales (Karras et al. 2020b, sec. 2.2; 2021, appendix D and configuration of sec. 3.2)."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from ganzoo.errors import InvalidValueError
from ganzoo.nn.conv_resample import conv2d_resample
from ganzoo.nn.filters import Padding
from ganzoo.nn.recording import recorded

EPS = 1e-8  # under the root of the demodulation


def modulated_conv2d(
    x: Tensor,
    weight: Tensor,
    styles: Tensor,
    *,
    noise: Tensor | None = None,
    up: int = 1,
    down: int = 1,
    padding: Padding = 0,
    resample_filter: Tensor | None = None,
    demodulate: bool = True,
    flip_weight: bool = True,
    input_gain: Tensor | None = None,
    fused: bool | None = None,
) -> Tensor:
    """Convolves each sample with weights that its style has scaled and demodulation has brought back to unit norm.

    ``w[n, o, i] = styles[n, i] * weight[o, i]``, then ``w[n, o] /= sqrt(sum(w[n, o] ** 2) + 1e-8)``, then
    ``w[n, o, i] *= input_gain[i]`` (Karras et al. 2020b, equations 1 and 3). For float16 ``x``, weights and styles are first
    divided by their largest entries, so that nothing overflows; demodulation makes up for it.

    Args:
        x: ``[N, in, H, W]``.
        weight: ``[out, in, height, width]``.
        styles: ``[N, in]``.
        noise: Added to the result; anything that broadcasts to it.
        up: Factor of the resolution, as in `conv2d_resample`.
        down: Likewise.
        padding: In pixels of the up-sampled image, besides what the filter needs.
        resample_filter: For the change of resolution.
        demodulate: Whether to divide by the norms.
        flip_weight: True correlates, False convolves.
        input_gain: A scalar, ``[in]`` or ``[N, in]``: multiplies the input, unseen by the demodulation.
        fused: True scales the weights, False the activations before and after; None does what is cheaper.

    Returns:
        ``[N, out, H * up / down, W * up / down]`` where ``padding`` is half of what the weight needs.

    Raises:
        InvalidValueError: shapes that do not fit.
    """
    if x.ndim != 4 or weight.ndim != 4 or weight.shape[1] != x.shape[1] or styles.shape != x.shape[:2]:
        raise InvalidValueError(
            f"Images {list(x.shape)}, weights {list(weight.shape)} and styles {list(styles.shape)} do not fit.",
            hint="Give [N, in, H, W], [out, in, height, width] and [N, in].",
        )
    if x.dtype == torch.float16 and demodulate:
        weight = weight / (weight.abs().amax((1, 2, 3), keepdim=True) * weight[0].numel() ** 0.5)
        styles = styles / styles.abs().amax(1, keepdim=True)
    scale = torch.rsqrt(styles.square() @ weight.square().sum((2, 3)).T + EPS) if demodulate else None
    gained = styles if input_gain is None else styles * input_gain
    if fused is None:  # for one image, whichever has fewer numbers to scale; many need one convolution, not one each
        numbers = x.numel() + weight.shape[0] * x.shape[2] * x.shape[3] * up**2 // down**2
        fused = not torch.compiler.is_compiling() and x.shape[0] == 1 and weight.numel() < numbers
    convolve = partial(conv2d_resample, f=resample_filter, up=up, down=down, padding=padding, flip_weight=flip_weight)
    y = _with_scaled_weights(convolve, x, weight, gained, scale) if fused else _scaled(convolve, x, weight, gained, scale)
    if noise is None:
        return y
    return y + noise.to(y.dtype) if recorded(y, noise) else y.add_(noise.to(y.dtype))


_Convolution = Callable[..., Tensor]


def _with_scaled_weights(convolve: _Convolution, x: Tensor, weight: Tensor, styles: Tensor, scale: Tensor | None) -> Tensor:
    """One convolution in groups, one for each sample, with weights of its own."""
    n = x.shape[0]
    w = weight * styles[:, None, :, None, None]
    w = w if scale is None else w * scale[:, :, None, None, None]
    w = w.flatten(0, 1).to(x.dtype)
    if n == 1:
        return convolve(x, w)
    y = convolve(x.reshape(1, -1, *x.shape[2:]), w, groups=n)
    return y.reshape(n, -1, *y.shape[2:])


def _scaled(convolve: _Convolution, x: Tensor, weight: Tensor, styles: Tensor, scale: Tensor | None) -> Tensor:
    """One convolution of activations scaled before and after."""
    y = convolve(x * styles.to(x.dtype)[:, :, None, None], weight.to(x.dtype))
    if scale is None:
        return y
    after = scale.to(y.dtype)[:, :, None, None]
    return y * after if recorded(y, after) else y.mul_(after)


def unit_power(weight: Tensor, styles: Tensor) -> tuple[Tensor, Tensor]:
    """Weights and styles of StyleGAN3 before `modulated_conv2d` with demodulation, each with a mean square of 1.

    Weights ``[out, in, height, width]`` get it for each output, styles ``[N, in]`` over the whole batch (Karras et al. 2021,
    official configuration). Demodulation removes the styles' factor again, up to its epsilon: where a sample must not depend
    on the rest of its batch, call this with one sample's styles at a time.
    """
    weight = weight * weight.square().mean((1, 2, 3), keepdim=True).rsqrt()
    return weight, styles * styles.square().mean().rsqrt()
