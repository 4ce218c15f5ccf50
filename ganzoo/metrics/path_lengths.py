"""Perceptual path length: how much images change along a path in latent space (Karras et al. 2019, StyleGAN, sec. 4.1)."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from ganzoo.errors import DataError, InvalidValueError
from ganzoo.metrics.features import Features
from ganzoo.metrics.sampling import Sampling
from ganzoo.metrics.sets import Sets, needs
from ganzoo.models.generator import evaluation_mode
from ganzoo.models.network import first_tensor
from ganzoo.models.seeds import sample_seeds

EPSILON = 1e-4
Interpolate = Callable[[Tensor, Tensor, Tensor], Tensor]


@needs(modalities=("image", "vector"))
def path_length_metric(sets: Sets) -> Mapping[str, float]:
    """The metric ``ppl``; real data have no path."""
    if sets.sampling is None:
        return {}
    return {"path-length": path_length(sets.sampling, sets.space)}


def path_length(
    sampling: Sampling, space: Features, *, epsilon: float = EPSILON, interpolate: Interpolate | None = None
) -> float:
    """The mean of ``d(G(z(t)), G(z(t + epsilon))) / epsilon^2`` over random paths ``z`` and ``t`` uniform in [0, 1].

    The paths lead from latents of the samples' seed to others, one path a sample; truncation and classes as the samples have
    them. ``d`` is the squared Euclidean distance in the feature space. In the paper it is that of a VGG network with learned
    weights (LPIPS): figures of another space do not compare with published ones. Images are not rounded to 8 bits, no
    distance is left out.

    Args:
        sampling: The generator, and how many paths.
        space: Where distances are measured.
        epsilon: Step along the path.
        interpolate: ``(a, b, t) -> z``; the great circle of `slerp` unless given.

    Raises:
        InvalidValueError: the feature space rounds to 8 bits, or the generator computes in half precision: neither sees such
            small steps.
        DataError: the images along the path are not finite.
    """
    if space.eight_bit:
        raise InvalidValueError(
            f"The feature space '{space.name}' rounds images to 8 bits; it cannot see the small steps of a path length.",
            hint="Measure ppl in another space, e.g. timm:vgg16.tv_in1k, in a command of its own.",
        )
    generator, along = sampling.generator, interpolate or slerp
    anchor = first_tensor(generator)
    if anchor is not None and torch.finfo(anchor.dtype).bits < 32:
        raise InvalidValueError(
            f"The generator computes in {str(anchor.dtype).removeprefix('torch.')}, where the small steps of a path are lost.",
            hint="Load it with dtype float32.",
        )
    seeds = sample_seeds(2 * sampling.count, sampling.seed)
    times = torch.rand(sampling.count, generator=torch.Generator("cpu").manual_seed(sampling.seed), dtype=torch.float64)
    total = torch.zeros((), dtype=torch.float64)
    with torch.inference_mode(), evaluation_mode(generator):
        for start in range(0, sampling.count, sampling.batch_size):
            part = slice(start, start + sampling.batch_size)
            # What else the seeds decide on, noise say, is that of the first end all along the path.
            a, given = generator.inputs(seeds[: sampling.count][part], truncation=sampling.truncation, **sampling.options(part))
            b, _ = generator.inputs(seeds[sampling.count :][part], truncation=sampling.truncation)
            images = []
            for step in (0.0, epsilon):
                z = along(a.double(), b.double(), times[part] + step)
                z = z.float() if anchor is None else z.to(anchor.device, anchor.dtype)
                images.append(generator(z, **given).float().cpu())
            total += _squared_distances(space, *images).sum()
    return float(total) / sampling.count / epsilon**2


def slerp(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
    """Spherical interpolation of latents ``[N, ...]`` at ``t [N]`` (Shoemake 1985): ``a`` at 0, ``b`` at 1."""
    x, y = a.flatten(1), b.flatten(1)
    cosine = (x * y).sum(1) / (x.norm(dim=1) * y.norm(dim=1)).clamp(min=torch.finfo(x.dtype).tiny)
    angle = cosine.clamp(-1, 1).acos()[:, None]
    t = t[:, None]
    straight = angle.sin() < 1e-6  # the same or opposite directions: no circle is given
    sine = torch.where(straight, 1.0, angle.sin())
    u = torch.where(straight, 1 - t, ((1 - t) * angle).sin() / sine)
    v = torch.where(straight, t, (t * angle).sin() / sine)
    return (u * x + v * y).view_as(a)


def lerp(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
    """Straight interpolation of latents ``[N, ...]`` at ``t [N]``: ``a`` at 0, ``b`` at 1."""
    return torch.lerp(a, b, t.view(-1, *[1] * (a.dim() - 1)))


def _squared_distances(space: Features, before: Tensor, after: Tensor) -> Tensor:
    one, two = space(before).features.double(), space(after).features.double()
    squared = (one - two).square().sum(1)
    if not squared.isfinite().all():
        raise DataError("The images along the latent path are not finite.", hint="The weights may be damaged.")
    return squared
