"""What a network is to the zoo: `Generator`, `Discriminator`, and the `Samples` that a generator hands to a person."""

from ganzoo.models.class_names import Classes, class_numbers
from ganzoo.models.discriminator import Discriminator, Judgement
from ganzoo.models.generator import AudioGenerator, Generator, ImageGenerator, TextGenerator, VectorGenerator, VideoGenerator
from ganzoo.models.headed import HeadedDiscriminator
from ganzoo.models.network import Network
from ganzoo.models.samples import AudioSamples, ImageSamples, Samples, TextSamples, VectorSamples, VideoSamples

__all__ = [
    "AudioGenerator",
    "AudioSamples",
    "Classes",
    "Discriminator",
    "Generator",
    "HeadedDiscriminator",
    "ImageGenerator",
    "ImageSamples",
    "Judgement",
    "Network",
    "Samples",
    "TextGenerator",
    "TextSamples",
    "VectorGenerator",
    "VectorSamples",
    "VideoGenerator",
    "VideoSamples",
    "class_numbers",
]
