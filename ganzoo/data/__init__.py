"""Training and reference data: data sets, folders of pictures, files of text, and the order in which they are shown."""

from ganzoo.data.dataset import Dataset, Examples, Skipped, TensorExamples
from ganzoo.data.feed import Batch, Feed
from ganzoo.data.files import PICTURE_SUFFIXES
from ganzoo.data.pictures import ImageFolder, ImageZip, PictureDataset, open_pictures
from ganzoo.data.sampler import ShuffledBatches
from ganzoo.data.separability import Separability, separability, warn_if_separable
from ganzoo.data.splits import split_by_hash
from ganzoo.data.tensors import TensorDataset, VectorDataset
from ganzoo.data.text import Density, TextDataset
from ganzoo.data.text_files import TEXT_SUFFIXES

__all__ = [
    "PICTURE_SUFFIXES",
    "TEXT_SUFFIXES",
    "Batch",
    "Dataset",
    "Density",
    "Examples",
    "Feed",
    "ImageFolder",
    "ImageZip",
    "PictureDataset",
    "Separability",
    "ShuffledBatches",
    "Skipped",
    "TensorDataset",
    "TensorExamples",
    "TextDataset",
    "VectorDataset",
    "open_pictures",
    "separability",
    "split_by_hash",
    "warn_if_separable",
]
