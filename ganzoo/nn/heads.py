"""The last layers of a discriminator: from pooled features to a score, given the class in one of the field's ways.

The methods keep their short names: AC (Odena et al. 2017), PD (projection, Miyato and Koyama 2018), MH (multi-hinge, Kavalerov
et al. 2021), MD (a score for each class, Liu et al. 2019), 2C (Kang and Park 2020), D2DCE (Kang et al. 2021); the auxiliary
classifiers TAC (Gong et al. 2019) and ADC (Hou et al. 2022).
"""

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn

from ganzoo.errors import ConfigError
from ganzoo.nn.classes import class_indices
from ganzoo.nn.layers import Layers

EMBEDDING_METHODS = ("2C", "D2DCE")
CONDITIONINGS = ("none", "AC", "PD", "MH", "MD", *EMBEDDING_METHODS)
AUXILIARIES = ("none", "TAC", "ADC")


@dataclass(frozen=True)
class HeadOutputs:
    """Everything that a `ClassHead` says about a batch; None where its conditioning has no such output.

    Attributes:
        features: What it was given ``[N, F]``; of unit length with ``AC`` and ``normalize_embedding``.
        adversarial: Scores ``[N]``; ``[N, 1 + num_classes]`` with ``MH``, the last one being "generated".
        embedding: ``[N, embedding_size]`` with ``2C`` and ``D2DCE``.
        proxy: Embedding of the class, ``[N, embedding_size]``, likewise.
        class_logits: ``[N, num_classes]`` with ``AC``; twice as many with ``ADC``.
        information_embedding: The same three of the second classifier of ``TAC``.
        information_proxy: See above.
        information_logits: See above.
    """

    features: Tensor
    adversarial: Tensor
    embedding: Tensor | None = None
    proxy: Tensor | None = None
    class_logits: Tensor | None = None
    information_embedding: Tensor | None = None
    information_proxy: Tensor | None = None
    information_logits: Tensor | None = None


class ClassHead(nn.Module):
    """Features ``[N, F]``, and classes ``c [N]`` where conditional, to logits ``[N]``.

    Args:
        features: ``F``.
        conditioning: ``none``, ``AC``, ``PD``, ``MH``, ``MD``, ``2C`` or ``D2DCE``.
        num_classes: How many classes; needed with every conditioning but ``none``. ``ADC`` doubles them inside.
        embedding_size: Of the embeddings of ``2C`` and ``D2DCE``.
        normalize_embedding: Scale features or embeddings to unit length.
        auxiliary: ``none``, ``TAC`` (a second classifier) or ``ADC`` (each class split into real and generated).
        layers: Makes its layers; None: plain ones.

    Raises:
        ConfigError: a value that is none of these, or a combination that does not exist.
    """

    def __init__(
        self,
        features: int,
        *,
        conditioning: str = "none",
        num_classes: int = 0,
        embedding_size: int = 512,
        normalize_embedding: bool = False,
        auxiliary: str = "none",
        layers: Layers | None = None,
    ) -> None:
        super().__init__()
        _check(conditioning, num_classes, auxiliary)
        self.conditioning, self.auxiliary = conditioning, auxiliary
        self.num_classes = 0 if conditioning == "none" else num_classes
        self.normalize_embedding = normalize_embedding
        self._add_layers(features, embedding_size, layers or Layers())

    def _add_layers(self, features: int, embedding_size: int, layers: Layers) -> None:
        embeds = self.conditioning in EMBEDDING_METHODS
        scores = {"MH": 1 + self.num_classes, "MD": self.num_classes}.get(self.conditioning, 1)
        classes = self.num_classes * (2 if self.auxiliary == "ADC" else 1)
        self.score = layers.linear(features, scores)
        second = embedding_size if embeds else classes
        if embeds or self.conditioning == "AC":
            self.second = layers.linear(features, second, bias=embeds)
        if embeds or self.conditioning == "PD":
            self.proxies = layers.embedding(classes, embedding_size if embeds else features)
        if self.auxiliary == "TAC":
            self.information = layers.linear(features, second, bias=embeds)
            if embeds:
                self.information_proxies = layers.embedding(classes, embedding_size)

    def outputs(self, features: Tensor, c: Tensor | int | None = None, *, generated: bool = False) -> HeadOutputs:
        """Everything that the head says about ``features``.

        Args:
            features: ``[N, F]``.
            c: Class of each, or one for all; needed with every conditioning but ``none``, ``AC`` and ``MH``.
            generated: With ``ADC``, take ``c`` as the classes of generated samples.

        Raises:
            InvalidValueError: a class is missing or is none of the network's.
        """
        scores: Tensor = self.score(features)
        match self.conditioning:
            case "none":
                return HeadOutputs(features, scores.squeeze(1))
            case "MH":
                return HeadOutputs(features, scores)
            case "AC":
                return self._classified(features, scores.squeeze(1))
        labels = self._labels(c, features, generated)
        match self.conditioning:
            case "MD":
                return HeadOutputs(features, scores.gather(1, labels[:, None]).squeeze(1))
            case "PD":
                return HeadOutputs(features, scores.squeeze(1) + (self.proxies(labels) * features).sum(1))
            case _:
                return self._embedded(features, scores.squeeze(1), labels)

    def forward(self, features: Tensor, c: Tensor | int | None = None) -> tuple[Tensor, Tensor | None]:
        """Logits ``[N]``, and those of the classes ``[N, num_classes]`` where it has a classifier (``AC``).

        With ``MH`` the score of the sample's class over that of "generated" (Kavalerov et al. 2021, sec. 3).

        Raises:
            InvalidValueError: a class is missing or is none of the network's.
        """
        told = self.outputs(features, c)
        # The two halves of a split class (ADC) are no classes that a loss of the usual kind could be taken of.
        logits = told.class_logits if self.classifies else None
        if self.conditioning != "MH":
            return told.adversarial, logits
        labels = class_indices(c, self.num_classes, features)
        return told.adversarial.gather(1, labels[:, None]).squeeze(1) - told.adversarial[:, -1], logits

    @property
    def classifies(self) -> bool:
        """Whether `forward` gives class logits besides the score."""
        return self.conditioning == "AC" and self.auxiliary != "ADC"

    def check_trainable(self) -> None:
        """Refuses what a score and class logits alone cannot train: without its own loss the class would not be learnt.

        Raises:
            ConfigError: it is one of these: 2C, D2DCE, TAC, ADC.
        """
        method = self.conditioning if self.conditioning in EMBEDDING_METHODS else self.auxiliary
        if method != "none":
            raise ConfigError(
                f"'{method}' needs a loss of its own to be trained, which ganzoo has not; such a network can only be used.",
                hint="For training choose conditioning=PD or AC, without an auxiliary classifier.",
            )

    def _labels(self, c: Tensor | int | None, features: Tensor, generated: bool) -> Tensor:
        labels = class_indices(c, self.num_classes, features)
        return 2 * labels + int(generated) if self.auxiliary == "ADC" else labels

    def _classified(self, features: Tensor, scores: Tensor) -> HeadOutputs:
        # StudioGAN normalises the features only, although it means to normalise the weights too.
        features = F.normalize(features, dim=1) if self.normalize_embedding else features
        information = self.information(features) if self.auxiliary == "TAC" else None
        return HeadOutputs(features, scores, class_logits=self.second(features), information_logits=information)

    def _embedded(self, features: Tensor, scores: Tensor, labels: Tensor) -> HeadOutputs:
        outputs = [self.second(features), self.proxies(labels)]
        if self.auxiliary == "TAC":
            outputs += [self.information(features), self.information_proxies(labels)]
        if self.normalize_embedding:
            outputs = [F.normalize(output, dim=1) for output in outputs]
        embedding, proxy, *information = outputs
        second, second_proxy = information if information else (None, None)
        return HeadOutputs(features, scores, embedding, proxy, information_embedding=second, information_proxy=second_proxy)


def _check(conditioning: str, num_classes: int, auxiliary: str) -> None:
    for name, value, allowed in (("conditioning", conditioning, CONDITIONINGS), ("auxiliary", auxiliary, AUXILIARIES)):
        if value not in allowed:
            raise ConfigError(f"There is no {name} '{value}'.", hint=f"Use {', '.join(allowed)}.")
    if conditioning != "none" and num_classes < 1:
        raise ConfigError(f"The conditioning {conditioning} needs num_classes.")
    if auxiliary == "TAC" and conditioning not in ("AC", *EMBEDDING_METHODS):
        raise ConfigError("The auxiliary classifier TAC exists with the conditionings AC, 2C and D2DCE only.")
