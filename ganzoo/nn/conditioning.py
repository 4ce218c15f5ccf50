"""Ways for a class to enter a network that knows nothing of classes; they combine freely.

Concatenation serves both networks, conditional batch normalisation (`ganzoo.nn.conditional`) the generator, a projection or an
auxiliary classifier the discriminator.
"""

import torch
from torch import Tensor, nn

PROJECTION_STD = 0.02  # small: at first a projecting discriminator hardly looks at the class


class ClassConcat(nn.Module):
    """Appends a learnt vector of the class to the channels of its input, the same at every place.

    Mirza and Osindero 2014, sec. 3.2, give both networks the class as further input; here it is embedded first.

    Args:
        num_classes: How many classes.
        size: Entries of the vector.
    """

    def __init__(self, num_classes: int, size: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(num_classes, size)

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        """``x [N, C, ...]`` and classes ``c [N]`` to ``[N, C + size, ...]``; latents as well as images."""
        vectors: Tensor = self.embedding(c)
        places = x.shape[2:]
        vectors = vectors.reshape(len(x), -1, *[1] * len(places)).expand(-1, -1, *places)
        return torch.cat([x, vectors.to(x.dtype)], dim=1)


class ProjectionHead(nn.Module):
    """``v_c . f``: what a projection discriminator adds to its score, Miyato and Koyama 2018, eq. 3.

    Args:
        features: Entries of ``f``, the pooled features that the score is computed from.
        num_classes: How many classes.
    """

    def __init__(self, features: int, num_classes: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(num_classes, features)
        nn.init.normal_(self.embedding.weight, 0.0, PROJECTION_STD)

    def forward(self, features: Tensor, c: Tensor) -> Tensor:
        """Features ``[N, F]`` and classes ``c [N]`` to ``[N]``."""
        vectors: Tensor = self.embedding(c)
        return (vectors * features).sum(1)


class AuxiliaryHead(nn.Module):
    """Logits of the class: the second task of an AC-GAN's discriminator, Odena, Olah and Shlens 2017, eq. 3.

    Args:
        features: Entries of the features that it shares with the score.
        num_classes: How many classes.
    """

    def __init__(self, features: int, num_classes: int) -> None:
        super().__init__()
        self.linear = nn.Linear(features, num_classes)

    def forward(self, features: Tensor) -> Tensor:
        """Features ``[N, F]`` to logits ``[N, num_classes]``."""
        logits: Tensor = self.linear(features)
        return logits
