"""Training and reference data: data sets, folders of pictures, and the order in which they are shown."""

from ganzoo.data.dataset import Dataset, Examples, Skipped, TensorExamples
from ganzoo.data.feed import Batch, Feed
from ganzoo.data.files import PICTURE_SUFFIXES
from ganzoo.data.pictures import ImageFolder, ImageZip, PictureDataset, open_pictures
from ganzoo.data.sampler import ShuffledBatches
from ganzoo.data.tensors import TensorDataset, VectorDataset

__all__ = [
    "PICTURE_SUFFIXES",
    "Batch",
    "Dataset",
    "Examples",
    "Feed",
    "ImageFolder",
    "ImageZip",
    "PictureDataset",
    "ShuffledBatches",
    "Skipped",
    "TensorDataset",
    "TensorExamples",
    "VectorDataset",
    "open_pictures",
]
