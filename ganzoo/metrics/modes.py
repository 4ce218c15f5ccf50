"""How many modes a generator has: classes that its samples are recognised as (Lin et al. 2018, "PacGAN", sec. 4)."""

from collections.abc import Mapping

import torch
from torch import Tensor

from ganzoo.errors import DataError
from ganzoo.metrics.sets import Sets, needs_classes


def mode_figures(generated: Tensor, reference: Tensor) -> Mapping[str, float]:
    """Figures of how often each class was recognised: counts ``[K]`` among generated and among real samples.

    - ``modes``: classes with at least one generated sample.
    - ``mode-kl``: Kullback-Leibler divergence of the generated distribution from the real one, in nats; 0 is best. A class
      that the reference never shows counts as half a sample there, so that the figure stays finite.
    - ``rarest-class-share``: the smallest share that a class of the reference has among the generated samples.

    Raises:
        DataError: counts of different lengths, or nothing counted.
    """
    if generated.shape != reference.shape or not int(generated.sum()) or not int(reference.sum()):
        raise DataError("Modes can be compared only between two counts of the same classes, both of at least one sample.")
    q = generated.double() / generated.sum()
    p = reference.double().clamp(min=0.5) / reference.sum()
    hit = generated > 0
    return {
        "modes": float(hit.sum()),
        "mode-kl": float((q[hit] * (q[hit] / p[hit]).log()).sum()),
        "rarest-class-share": float(q[reference > 0].min()),
    }


def votes(scores: Tensor) -> Tensor:
    """How many samples are recognised as each class, int64 ``[K]``, from class scores ``[N, K]``."""
    return torch.bincount(scores.argmax(1), minlength=scores.shape[1])


@needs_classes
def modes_metric(sets: Sets) -> Mapping[str, float]:
    """The metric ``modes``. Both sets are judged by the same classifier, so that its errors weigh on both sides."""
    generated, reference = sets.scores
    return mode_figures(votes(generated), votes(reference))
