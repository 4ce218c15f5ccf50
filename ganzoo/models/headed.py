"""Discriminators that end in a `ganzoo.nn.ClassHead`: features of an image first, a score for its class from them."""

from abc import abstractmethod

from torch import Tensor

from ganzoo.models.discriminator import Discriminator, Judgement
from ganzoo.nn import ClassHead, HeadOutputs


class HeadedDiscriminator(Discriminator):
    """Images ``[N, C, H, W]``, and classes ``c [N]`` where conditional, to logits ``[N]``.

    A subclass gives `features`, and sets `head` in its constructor, and with it ``num_classes``.

    Attributes:
        head: From features to scores.
    """

    modality = "image"
    head: ClassHead

    @abstractmethod
    def features(self, x: Tensor) -> Tensor:
        """Features ``[N, F]`` of images ``[N, C, H, W]`` in [-1, 1]."""

    def outputs(self, x: Tensor, c: Tensor | int | None = None, *, generated: bool = False) -> HeadOutputs:
        """Everything that the network says about images ``x`` of classes ``c``.

        Args:
            x: Images ``[N, C, H, W]``.
            c: Class of each, or one for all; needed with every conditioning but ``none``, ``AC`` and ``MH``.
            generated: With ``ADC``, take ``c`` as the classes of generated images.

        Raises:
            InvalidValueError: a class is missing or is none of the network's.
        """
        return self.head.outputs(self.features(x), c, generated=generated)

    def judge(self, x: Tensor, c: Tensor | None = None) -> Judgement:
        """Scores ``[N]``, and class logits ``[N, num_classes]`` where there is a classifier.

        Raises:
            InvalidValueError: a class is missing or is none of the network's.
            ConfigError: its conditioning cannot be trained, see `ClassHead.check_trainable`.
        """
        self.head.check_trainable()
        # Through `forward` where that says everything, since it is what can be compiled.
        return Judgement(*self.head(self.features(x), c)) if self.head.classifies else super().judge(x, c)

    def forward(self, x: Tensor, c: Tensor | int | None = None) -> Tensor:
        """Logits ``[N]``. With ``MH`` the score of the image's class over that of "generated" (Kavalerov et al. 2021, sec. 3).

        Raises:
            InvalidValueError: a class is missing or is none of the network's.
        """
        scores: Tensor = self.head(self.features(x), c)[0]
        return scores
