"""What generators with a style share: ``z`` is mapped to ``w``, and ``w`` controls every layer (Karras et al. 2019)."""

import inspect
import math
from abc import abstractmethod
from collections.abc import Iterable, Sequence
from numbers import Integral, Real
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ganzoo.errors import InvalidValueError
from ganzoo.models import ImageGenerator
from ganzoo_stylegan.conditions import class_weights

Layers = int | Sequence[int]


class StyleGenerator(ImageGenerator):
    """A generator whose layers are each controlled by a ``w`` of their own.

    A subclass sets the attributes in its constructor and gives `synthesise` and ``output_shape``.

    Attributes:
        mapping: From ``z [N, z_dim]`` and class weights (or None) to ``w [N, w_dim]``.
        z_dim: Entries of ``z``.
        w_dim: Entries of ``w``.
        num_ws: How many ``w`` the layers of one image take.
        w_avg_beta: What the moving average of ``w`` keeps at every step of a training.
        style_mixing: Share of images that are made from two latents while training (Karras et al. 2019, sec. 3.1).
    """

    default_batch_size: ClassVar[int] = 4  # large images: more at once take memory and save little time

    mapping: nn.Module
    z_dim: int
    w_dim: int
    num_ws: int
    w_avg_beta: float = 0.998
    style_mixing: float = 0.0

    @property
    def latent_shape(self) -> tuple[int, ...]:
        """``(z_dim,)``."""
        return (self.z_dim,)

    @property
    def w_avg(self) -> Tensor:
        """The mean of ``w``, ``[w_dim]``, a buffer: what truncation leads to."""
        return self.get_buffer("mapping.w_avg")

    # --- the paper's function ---

    def forward(
        self,
        z: Tensor,
        c: Tensor | int | None = None,
        truncation: float = 1.0,
        truncation_cutoff: int | None = None,
        mix_z: Tensor | None = None,
        mix_layers: Layers | None = None,
        **synthesis: Any,
    ) -> Tensor:
        """Images ``[N, C, H, W]`` of latents.

        Args:
            z: ``[N, z_dim]``.
            c: Class of each image, int64 ``[N]``, or one for all, or weights of the classes ``[N, num_classes]``.
            truncation: psi: ``w`` is moved to ``w_avg + psi * (w - w_avg)``.
            truncation_cutoff: It is so in the first so many layers only; None means all of them.
            mix_z: Other latents ``[N, z_dim]``, or ``[1, z_dim]`` for all: style mixing.
            mix_layers: Which layers get their ``w`` from ``mix_z``: numbers of layers, a ``range`` say, or a number: that layer
                and all after it.
            **synthesis: Keyword arguments of `synthesise`.

        Raises:
            InvalidValueError: an argument that cannot be used.
        """
        ws = self.styles(z, c, truncation, truncation_cutoff, mix_z, mix_layers)
        return self.synthesise(ws, **synthesis)

    def styles(
        self,
        z: Tensor,
        c: Tensor | int | None,
        truncation: float,
        truncation_cutoff: int | None,
        mix_z: Tensor | None,
        mix_layers: Layers | None,
    ) -> Tensor:
        """``ws [N, num_ws, w_dim]`` with styles mixed as asked, or as training does; arguments as for `forward`.

        Raises:
            InvalidValueError: an argument that cannot be used.
        """
        ws = self.map(z, c, truncation=truncation, truncation_cutoff=truncation_cutoff)
        if mix_z is not None:
            self.check_latents(mix_z)
            if len(mix_z) not in (1, len(z)):
                raise InvalidValueError(f"'mix_z' has {len(mix_z)} latents for {len(z)} samples.", hint="Give as many, or one.")
            others = self.map(mix_z.to(z).expand_as(z), c, truncation=truncation, truncation_cutoff=truncation_cutoff)
            return mixed(ws, others, mix_layers)
        if mix_layers is not None:
            raise InvalidValueError(
                "'mix_layers' says which layers follow 'mix_z', and there is none.", hint="Give 'mix_z', too."
            )
        return self._mixed_for_training(ws, z, c)

    def map(
        self,
        z: Tensor,
        c: Tensor | int | None = None,
        *,
        truncation: float = 1.0,
        truncation_cutoff: int | None = None,
    ) -> Tensor:
        """``ws [N, num_ws, w_dim]`` of latents; arguments as for `forward`. While training, ``w_avg`` follows.

        Raises:
            InvalidValueError: an argument that cannot be used.
        """
        self.check_latents(z)
        w: Tensor = self.mapping(z, class_weights(c, self.num_classes, z))
        if self.training:
            self._follow(w.detach())
        ws = w[:, None].expand(-1, self.num_ws, -1)
        return self.truncated(ws, truncation, truncation_cutoff)

    def truncated(self, ws: Tensor, truncation: float, cutoff: int | None = None) -> Tensor:
        """``w_avg + truncation * (ws - w_avg)`` in the first ``cutoff`` layers (Karras et al. 2019, appendix B).

        Raises:
            InvalidValueError: a truncation that is no finite number, or a cutoff that is no number of layers.
        """
        if isinstance(truncation, bool) or not isinstance(truncation, Real) or not _is_finite(truncation):
            raise InvalidValueError(f"The truncation must be a number, not {truncation!r}.", hint="1 switches it off.")
        if cutoff is not None and (isinstance(cutoff, bool) or not isinstance(cutoff, Integral) or cutoff < 0):
            raise InvalidValueError(f"'truncation_cutoff' is a number of layers, at most {self.num_ws}, not {cutoff!r}.")
        if truncation == 1:
            return ws
        moved = self.w_avg.to(ws).lerp(ws[:, :cutoff], truncation)
        return moved if cutoff is None else torch.cat([moved, ws[:, cutoff:]], dim=1)

    @abstractmethod
    def synthesise(
        self, ws: Tensor, *, noise_mode: str | None = None, noise_seeds: Sequence[int] | Tensor | None = None
    ) -> Tensor:
        """Images ``[N, C, H, W]`` of ``ws [N, num_ws, w_dim]``.

        Args:
            ws: One ``w`` for every layer.
            noise_mode: ``const``, ``random`` or ``none``, see `ganzoo_stylegan.noise.noise_source`; None is ``random`` while
                training and ``const`` else.
            noise_seeds: With ``random``, a seed for each image.

        Raises:
            InvalidValueError: an argument that cannot be used.
        """

    def noise_mode(self, mode: str | None) -> str:
        """``mode``, or what None stands for."""
        return mode if mode is not None else "random" if self.training else "const"

    def path(self, z: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """``ws`` and the images made from them: path lengths are measured in ``w``."""
        ws = self._mixed_for_training(self.map(z, c), z, c)
        ws = ws if ws.requires_grad else ws.detach().requires_grad_(True)
        return ws, self.synthesise(ws)

    def check_ws(self, ws: Tensor) -> None:
        """Raises an error that says what ``ws`` should be.

        Raises:
            InvalidValueError: another shape than ``[N, num_ws, w_dim]``.
        """
        if ws.dim() != 3 or ws.shape[1:] != (self.num_ws, self.w_dim):
            raise InvalidValueError(
                f"The ws of {type(self).__name__} are [N, {self.num_ws}, {self.w_dim}], not {list(ws.shape)}.",
                hint="`map` makes them.",
            )

    # --- what people call ---

    def sampling_options(self) -> dict[str, inspect.Parameter]:
        """The keyword arguments of `forward`, and those of `synthesise`, which it passes on."""
        _, *others = inspect.signature(self.synthesise).parameters.values()
        return {**super().sampling_options(), **{each.name: each for each in others}}

    def inputs(self, seeds: Sequence[int], *, truncation: float | None = None, **options: Any) -> tuple[Tensor, dict[str, Any]]:
        """As in the base class. The truncation is that of `forward`, of ``w`` instead of ``z``.

        With ``noise_mode="random"`` the noise of an image comes from its own seed, as its latent does.

        Raises:
            InvalidValueError: an argument that cannot be used.
        """
        if truncation is not None:
            options["truncation"] = truncation
        if options.get("noise_mode") == "random":
            options.setdefault("noise_seeds", torch.tensor(seeds))
        return self.latents(seeds), options

    def truncate(self, z: Tensor, truncation: float, rng: torch.Generator) -> Tensor:
        """Refused: this family truncates ``w``, not ``z``.

        Raises:
            InvalidValueError: always.
        """
        raise InvalidValueError(
            f"{type(self).__name__} truncates its intermediate latents, not z.",
            hint="Give the truncation to `sample`, `forward` or `map`.",
        )

    # --- while training ---

    @torch.no_grad()
    def _follow(self, w: Tensor) -> None:
        self.w_avg.copy_(w.mean(0).to(self.w_avg).lerp(self.w_avg, self.w_avg_beta))

    def _mixed_for_training(self, ws: Tensor, z: Tensor, c: Tensor | int | None) -> Tensor:
        """``ws``, in which some samples follow another latent from some layer on."""
        if not (self.training and self.style_mixing) or self.num_ws < 2:
            return ws
        layers = torch.arange(self.num_ws, device=ws.device)
        first = torch.randint(1, self.num_ws, (len(ws), 1), device=ws.device)
        chosen = torch.rand(len(ws), 1, device=ws.device) < self.style_mixing
        others = self.mapping(torch.randn_like(z), class_weights(c, self.num_classes, z))
        return torch.where((chosen & (layers >= first))[:, :, None], others[:, None], ws)


def _is_finite(number: Real) -> bool:
    try:
        return math.isfinite(number)
    except OverflowError:  # a whole number that no float can be
        return False


def mixed(ws: Tensor, others: Tensor, layers: Layers | None) -> Tensor:
    """``ws [N, num_ws, w_dim]`` with those of ``others`` in ``layers`` (style mixing, Karras et al. 2019, sec. 3.1).

    Args:
        ws: What the other layers keep.
        others: Of the same shape.
        layers: Numbers of layers, from 0; or one number: that layer and all after it.

    Raises:
        InvalidValueError: no layers are given, or one that there is not.
    """
    count = ws.shape[1]
    named = range(int(layers), count) if isinstance(layers, Integral) else layers
    chosen = list(named) if isinstance(named, Iterable) else []
    if not chosen or not all(isinstance(i, Integral) and 0 <= i < count for i in chosen):
        raise InvalidValueError(
            f"'mix_layers' is {layers!r}.", hint=f"Give numbers of layers from 0 to {count - 1}, or the first layer to change."
        )
    replaced = torch.zeros(count, dtype=torch.bool, device=ws.device)
    replaced[chosen] = True
    return torch.where(replaced[:, None], others, ws)
