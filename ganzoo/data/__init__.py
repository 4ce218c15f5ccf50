"""Training and reference data: data sets, folders of pictures, and the order in which they are shown."""

from ganzoo.data.dataset import Dataset, Pictures, TensorDataset, TensorPictures
from ganzoo.data.folder import PICTURE_SUFFIXES, ImageFolder, Skipped
from ganzoo.data.sampler import ShuffledBatches

__all__ = [
    "PICTURE_SUFFIXES",
    "Dataset",
    "ImageFolder",
    "Pictures",
    "ShuffledBatches",
    "Skipped",
    "TensorDataset",
    "TensorPictures",
]
