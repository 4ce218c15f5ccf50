"""The losses, regularisers and constraints that come with the core, as declarations: importing this imports no torch."""

from ganzoo.spec import Part

_LOSSES = "ganzoo.training.losses"
_REGULARIZERS = "ganzoo.training.regularizers"
_CONSTRAINTS = "ganzoo.training.constraints"

LOSSES: tuple[Part, ...] = (
    Part(
        id="non-saturating",
        summary="binary cross-entropy, the generator with the labels exchanged (Goodfellow et al. 2014)",
        target=f"{_LOSSES}:non_saturating",
    ),
    Part(
        id="logistic",
        summary="the StyleGAN papers' name of non-saturating",
        target=f"{_LOSSES}:logistic",
    ),
    Part(
        id="minimax",
        summary="V(D, G) itself; the generator's side saturates (Goodfellow et al. 2014)",
        target=f"{_LOSSES}:minimax",
    ),
    Part(
        id="least-squares",
        summary="squared distance of the logit to 1 and 0 (Mao et al. 2017)",
        target=f"{_LOSSES}:least_squares",
    ),
    Part(
        id="hinge",
        summary="margin of one on either side (Lim and Ye 2017; Miyato et al. 2018)",
        target=f"{_LOSSES}:hinge",
    ),
    Part(
        id="wasserstein",
        summary="difference of the mean scores; D must be kept Lipschitz (Arjovsky et al. 2017)",
        target=f"{_LOSSES}:wasserstein",
    ),
    Part(
        id="relativistic-average",
        summary="each example against the mean of the other side (Jolicoeur-Martineau 2018)",
        target=f"{_LOSSES}:relativistic_average",
    ),
    Part(
        id="relativistic-average-least-squares",
        summary="the same with squared distances",
        target=f"{_LOSSES}:relativistic_average_least_squares",
    ),
    Part(
        id="relativistic-average-hinge",
        summary="the same with margins",
        target=f"{_LOSSES}:relativistic_average_hinge",
    ),
    Part(
        id="relativistic-pairing",
        summary="each generated example against one real one (Jolicoeur-Martineau 2018; Huang et al. 2024)",
        target=f"{_LOSSES}:relativistic_pairing",
    ),
)

REGULARIZERS: tuple[Part, ...] = (
    Part(
        id="r1",
        summary="squared gradient of D on real examples (Mescheder et al. 2018)",
        target=f"{_REGULARIZERS}:R1",
    ),
    Part(
        id="r2",
        summary="squared gradient of D on generated examples (Mescheder et al. 2018)",
        target=f"{_REGULARIZERS}:R2",
    ),
    Part(
        id="wgan-gp",
        summary="gradient norm of D pulled to one between real and generated (Gulrajani et al. 2017)",
        target=f"{_REGULARIZERS}:WassersteinGradientPenalty",
    ),
    Part(
        id="dragan",
        summary="gradient norm of D pulled to one around real examples (Kodali et al. 2017)",
        target=f"{_REGULARIZERS}:Dragan",
    ),
    Part(
        id="zero-centred-gp",
        summary="squared gradient of D between real and generated (Thanh-Tung et al. 2019)",
        target=f"{_REGULARIZERS}:ZeroCentredGradientPenalty",
    ),
    Part(
        id="path-length",
        summary="equal steps in the latent space make equal steps in the image (Karras et al. 2020b)",
        target=f"{_REGULARIZERS}:PathLength",
    ),
    Part(
        id="orthogonal-generator",
        summary="filters of G at right angles (Brock et al. 2019)",
        target=f"{_REGULARIZERS}:OrthogonalGenerator",
    ),
    Part(
        id="orthogonal-discriminator",
        summary="filters of D at right angles (Brock et al. 2019)",
        target=f"{_REGULARIZERS}:OrthogonalDiscriminator",
    ),
    Part(
        id="spectral",
        summary="squared spectral norms of D's weights, as a penalty (Yoshida and Miyato 2017)",
        target=f"{_REGULARIZERS}:Spectral",
    ),
    Part(
        id="consistency",
        summary="D says the same of an example and of its transformed twin (bCR; Zhao et al. 2021)",
        target=f"{_REGULARIZERS}:Consistency",
    ),
    Part(
        id="lecam",
        summary="scores anchored at a moving average of the other side's (Tseng et al. 2021)",
        target=f"{_REGULARIZERS}:LeCam",
    ),
    Part(
        id="mode-seeking",
        summary="different latents give different examples (Mao et al. 2019)",
        target=f"{_REGULARIZERS}:ModeSeeking",
    ),
)

CONSTRAINTS: tuple[Part, ...] = (
    Part(
        id="spectral-norm",
        summary="every weight of D divided by its largest singular value (Miyato et al. 2018)",
        target=f"{_CONSTRAINTS}:SpectralNormalisation",
    ),
    Part(
        id="weight-clipping",
        summary="every parameter of D kept within [-0.01, 0.01] (Arjovsky et al. 2017)",
        target=f"{_CONSTRAINTS}:WeightClipping",
    ),
)
