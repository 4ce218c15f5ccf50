"""What a generator returns to a person, by modality."""

from ganzoo.models.samples.audio import AudioSamples
from ganzoo.models.samples.base import Samples
from ganzoo.models.samples.image import ImageSamples
from ganzoo.models.samples.text import TextSamples
from ganzoo.models.samples.vector import VectorSamples
from ganzoo.models.samples.video import VideoSamples

__all__ = ["AudioSamples", "ImageSamples", "Samples", "TextSamples", "VectorSamples", "VideoSamples"]
