"""The generator of SeqGAN; its discriminator is `ganzoo.text.discriminators.CNNDiscriminator` as it stands."""

from ganzoo.text.generators import LSTMGenerator


class SeqGANGenerator(LSTMGenerator):
    """Yu et al. 2017 (sec. 3.3 and sec. 5.1): 32 numbers a token, 32 hidden units, weights from a normal distribution with a
    standard deviation of 0.1. The defaults of `LSTMGenerator` are these.
    """
