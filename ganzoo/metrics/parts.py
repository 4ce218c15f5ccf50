"""The metrics and feature spaces that come with the core, as declarations: importing this imports no torch."""

from ganzoo.spec import Part

METRICS: tuple[Part, ...] = (
    Part(
        id="frechet-distance",
        summary="Fréchet distance of two Gaussians fitted to the features (Heusel et al. 2017)",
        target="ganzoo.metrics.frechet:frechet",
    ),
    Part(
        id="precision-recall",
        summary="improved precision and recall, k = 3 (Kynkäänniemi et al. 2019)",
        target="ganzoo.metrics.manifold:precision_recall_metric",
    ),
)

FEATURES: tuple[Part, ...] = ()
