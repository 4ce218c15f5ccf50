"""A layer of StyleGAN3: modulated convolution, then a leaky ReLU that makes no aliases (Karras et al. 2021, figure 4)."""

import math

import torch
from torch import Tensor, nn

from ganzoo.nn import filtered_lrelu
from ganzoo_stylegan.mapping import FullyConnected
from ganzoo_stylegan.stylegan3.convolution import styled_convolution
from ganzoo_stylegan.stylegan3.geometry import LayerPlan
from ganzoo_stylegan.stylegan3.lowpass import lowpass
from ganzoo_stylegan.weight_forms import WeightForms, ordered, squared_norms

SLOPE = 0.2
GAIN = math.sqrt(2)


class SynthesisLayer(WeightForms):
    """``[N, before, H, W]`` and a style ``[N, w_dim]`` to ``[N, after, H', W']``.

    Args:
        plan: Its sizes.
        w_dim: Entries of ``w``.
        clamp: Activations are kept within it on both sides; None does not limit them.
        beta: Decay of the average of the input's mean square, for each update.
    """

    up_filter: Tensor | None
    down_filter: Tensor | None
    magnitude_ema: Tensor

    def __init__(self, plan: LayerPlan, w_dim: int, *, clamp: float | None, beta: float) -> None:
        super().__init__()
        self.plan, self.clamp, self.beta = plan, clamp, beta
        kernel = (plan.kernel_size, plan.kernel_size)
        self.affine = FullyConnected(w_dim, plan.before.channels, bias_init=1.0)
        self.weight = nn.Parameter(torch.randn(plan.after.channels, plan.before.channels, *kernel))
        self.bias = nn.Parameter(torch.zeros(plan.after.channels))
        self.register_buffer("magnitude_ema", torch.ones(()))
        up = (plan.up_taps, plan.before.cutoff, 2 * plan.before.half_width, plan.rate)
        down = (plan.down_taps, plan.after.cutoff, 2 * plan.after.half_width, plan.rate)
        self.register_buffer("up_filter", None if plan.up_taps == 1 else lowpass(*up))
        self.register_buffer("down_filter", None if plan.down_taps == 1 else lowpass(*down, radial=plan.radial))

    def forward(
        self, x: Tensor, w: Tensor, dtype: torch.dtype, *, independent: bool = False, update_averages: bool = False
    ) -> Tensor:
        """The layer's output.

        Args:
            x: ``[N, before, H, W]``.
            w: ``[N, w_dim]``.
            dtype: What to compute in.
            independent: Normalise each sample's style by itself instead of all of the batch together.
            update_averages: Let the average of the input's magnitude follow this input first.
        """
        if update_averages:
            self._follow(x)
        x = x.to(dtype)
        styles = self.affine(w)
        if self.plan.to_image:
            styles = styles / math.sqrt(self.weight[0].numel())
        gain = self.magnitude_ema.rsqrt()
        squares = None if self.plan.to_image else self.formed(squared_norms)
        y = styled_convolution(x, self.formed(ordered), self.bias, styles, gain, squares=squares, independent=independent)
        return self._activated(y)

    def _activated(self, y: Tensor) -> Tensor:
        gain, slope = (1.0, 1.0) if self.plan.to_image else (GAIN, SLOPE)
        before, after = self.plan.padding
        return filtered_lrelu(
            y,
            self.up_filter,
            self.down_filter,
            up=self.plan.up,
            down=self.plan.down,
            padding=(before, after, before, after),
            gain=gain,
            slope=slope,
            clamp=self.clamp,
        )

    @torch.no_grad()
    def _follow(self, x: Tensor) -> None:
        now = x.float().square().mean() if x.dtype == torch.float16 else x.square().mean()
        self.magnitude_ema.copy_(now.to(self.magnitude_ema).lerp(self.magnitude_ema, self.beta))

    def extra_repr(self) -> str:
        """What its weights do not show."""
        plan = self.plan
        return f"{plan.before.size} -> {plan.after.size}, up={plan.up}, down={plan.down}, radial={plan.radial}"
