"""What happens in a run as TensorBoard events (extra ``tensorboard``)."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ganzoo.errors import MissingExtraError, OutputError
from ganzoo.training.game import Progress
from ganzoo.training.reporting import Silent

FOLDER = "tensorboard"


class TensorBoard(Silent):
    """Writes losses, logits, speed, figures and sample grids; the horizontal axis is images shown.

    Args:
        run: The run directory; events go to its folder ``tensorboard``.

    Raises:
        MissingExtraError: tensorboard is not installed.
    """

    def __init__(self, run: Path) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as e:
            raise MissingExtraError("TensorBoard events", "tensorboard", "tensorboard") from e
        self._folder = run / FOLDER
        self._open: Any = SummaryWriter
        self._writer: Any = None

    def started(self, done: int, total: int, unit: str) -> None:
        """Opens the events; what an earlier part of the run wrote after ``done`` is hidden by it.

        Raises:
            OutputError: they cannot be written.
        """
        self.closed()
        with self._writing():
            before = self._folder.exists()
            self._writer = self._open(str(self._folder), purge_step=_after(done) if before else None)

    def logged(self, progress: Progress, images_per_second: float) -> None:
        """Scalars."""
        self._add("training", {**progress.figures, "images_per_second": images_per_second}, progress.images)

    def evaluated(self, figures: Mapping[str, float], images: int) -> None:
        """Figures."""
        self._add("evaluation", figures, images)

    def sampled(self, file: Path, images: int) -> None:
        """The grid, where it is a picture."""
        if file.suffix == ".png":
            with self._writing(), Image.open(file) as picture:
                self._writer.add_image("samples", np.asarray(picture.convert("RGB")), images, dataformats="HWC")
                self._writer.flush()

    def closed(self) -> None:
        """Closes the events."""
        if self._writer is not None:
            with self._writing():
                self._writer.close()
            self._writer = None

    def _add(self, group: str, values: Mapping[str, float], images: int) -> None:
        with self._writing():
            for name, value in values.items():
                self._writer.add_scalar(f"{group}/{name}", value, images)
            self._writer.flush()  # at once: a run that is killed loses none

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as e:
            raise OutputError(f"TensorBoard events cannot be written to {self._folder}: {e.strerror or e}.") from e


def _after(done: int) -> int:
    """The first step that is no longer valid; what is measured before the run is measured again with it."""
    return done + 1 if done else 0
