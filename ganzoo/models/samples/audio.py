"""Sound: 16-bit wave files."""

import wave
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import torch
from torch import Tensor

from ganzoo.errors import InvalidValueError
from ganzoo.models.samples.base import Samples

SILENCE_BETWEEN = 0.25  # seconds between samples when the whole batch goes into one file


class AudioSamples(Samples):
    """Sound ``[N, C, T]`` in [-1, 1], float32 on the CPU; ``sample_rate`` in Hz."""

    modality = "audio"
    suffixes = (".wav",)
    single_suffix = ".wav"

    def __init__(self, tensor: Tensor, seeds: Sequence[int], *, sample_rate: int) -> None:
        super().__init__(tensor, seeds)
        if tensor.dim() != 3 or sample_rate < 1:
            raise InvalidValueError(f"Sound is [N, C, T] at a positive rate; this is {list(tensor.shape)} at {sample_rate} Hz.")
        self.sample_rate = sample_rate

    def _part(self, which: slice) -> Self:
        return type(self)(self.tensor[which], self.seeds[which], sample_rate=self.sample_rate)

    def to_int16(self) -> Tensor:
        """The sound as ``[N, C, T]`` in -32767 … 32767; values outside [-1, 1] are clamped."""
        return self.tensor.clamp(-1, 1).mul(32767).round().to(torch.int16)

    def _write_all(self, path: Path, suffix: str) -> None:
        n, channels, _ = self.tensor.shape
        silence = torch.zeros(channels, round(SILENCE_BETWEEN * self.sample_rate), dtype=torch.int16)
        pieces = [piece for sound in self.to_int16() for piece in (sound, silence)][: 2 * n - 1]
        self._write_wave(path, torch.cat(pieces, dim=1))

    def _write_one(self, index: int, path: Path) -> None:
        self._write_wave(path, self.to_int16()[index])

    def _write_wave(self, path: Path, sound: Tensor) -> None:
        with wave.open(str(path), "wb") as file:
            file.setnchannels(sound.shape[0])
            file.setsampwidth(2)
            file.setframerate(self.sample_rate)
            file.writeframes(sound.t().contiguous().numpy().astype("<i2").tobytes())
