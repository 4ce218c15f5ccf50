"""The synthesis network of StyleGAN3: from styles to an image (Karras et al. 2021, sec. 3, figure 4a)."""

from torch import Tensor, nn

from ganzoo_stylegan.stylegan2.precision import Precise
from ganzoo_stylegan.stylegan3.fourier import FourierFeatures
from ganzoo_stylegan.stylegan3.geometry import Rules
from ganzoo_stylegan.stylegan3.layers import SynthesisLayer


class Synthesis(nn.Module):
    """Fourier features, then the layers one after the other; each has a style of its own.

    Modules are named as NVIDIA's program names them: ``input``, ``L0_36_512`` ….

    Args:
        rules: What the layers' sizes follow from.
        w_dim: Entries of a style.
        output_scale: What the last layer's result is multiplied by.
        clamp: As for `SynthesisLayer`.
        beta: As for `SynthesisLayer`.
    """

    def __init__(self, rules: Rules, w_dim: int, *, output_scale: float, clamp: float | None, beta: float) -> None:
        super().__init__()
        self.output_scale = output_scale
        self.precision = Precise({plan.after.rate for plan in rules.plans if plan.half})
        self.input = FourierFeatures(w_dim, rules.bands[0])
        self.names = [plan.name for plan in rules.plans]
        for plan in rules.plans:
            self.add_module(plan.name, SynthesisLayer(plan, w_dim, clamp=clamp, beta=beta))

    @property
    def layers(self) -> list[SynthesisLayer]:
        """In their order, that which makes the image last."""
        return [getattr(self, name) for name in self.names]

    def forward(self, ws: Tensor, placement: Tensor | None = None, *, independent: bool = False) -> Tensor:
        """Images ``[N, channels, size, size]``. While training, the layers' averages follow.

        Args:
            ws: ``[N, number of layers + 1, w_dim]``: the first is the input's.
            placement: As for `FourierFeatures`.
            independent: As for `SynthesisLayer`.
        """
        first, *others = ws.unbind(1)
        x: Tensor = self.input(first, placement)
        for layer, w in zip(self.layers, others, strict=True):
            dtype = self.precision.dtype_at(layer.plan.after.rate, ws)
            x = layer(x, w, dtype, independent=independent, update_averages=self.training)
        x = x if self.output_scale == 1 else x * self.output_scale
        return x.to(ws.dtype)
