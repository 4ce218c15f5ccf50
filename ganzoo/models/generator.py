"""The generator's contract: `forward` is the paper's function on tensors, `sample` is what people call."""

import contextlib
import inspect
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

import torch
from torch import Tensor

from ganzoo.errors import InvalidValueError
from ganzoo.models.class_names import checked_names, class_numbers
from ganzoo.models.network import Network, first_tensor
from ganzoo.models.samples import AudioSamples, ImageSamples, Samples, TextSamples, VectorSamples, VideoSamples
from ganzoo.models.seeds import check_count, check_seeds, sample_seeds

if TYPE_CHECKING:  # tokenizers stand above the networks, which only pass them on
    from ganzoo.tokenizers import Tokenizer

S = TypeVar("S", bound=Samples)
Progress = Callable[[int], object]
MAX_RESAMPLING = 100


class Generator(Network, Generic[S]):
    """Makes samples from latents.

    A subclass gives `latent_shape` and ``forward(z, ...)`` and lives under one of the typed bases (`ImageGenerator`,
    `TextGenerator`, `AudioGenerator`, `VideoGenerator`, `VectorGenerator`). Further keyword arguments of ``forward`` become
    options of `sample`.

    Attributes:
        default_batch_size: Samples a forward pass of `sample`.
        num_classes: How many classes the condition ``c`` (int64 ``[N]``) may have; 0 where the network is unconditional.
        class_names: What they are called, in the order of their numbers; empty where nobody said. They come with the model
            (its card, its folder, the data that it was trained on), not with the architecture.
    """

    default_batch_size: ClassVar[int] = 16
    num_classes: int = 0
    class_names: tuple[str, ...] = ()

    @property
    @abstractmethod
    def latent_shape(self) -> tuple[int, ...]:
        """Shape of the latent ``z`` of one sample."""

    @property
    @abstractmethod
    def output_shape(self) -> tuple[int, ...]:
        """Shape of one sample as ``forward`` makes it."""

    def name_classes(self, names: Sequence[str]) -> None:
        """Gives the classes names, in the order of their numbers.

        Raises:
            ConfigError: there is not one name for each class.
        """
        self.class_names = checked_names(names, self.num_classes)

    def draw_latent(self, rng: torch.Generator) -> Tensor:
        """The latent of one sample, float32 on the CPU, from its own random generator. Standard normal unless overridden."""
        return normal(self.latent_shape, rng)

    def truncate(self, z: Tensor, truncation: float, rng: torch.Generator) -> Tensor:
        """``z`` with every entry of magnitude above ``truncation`` drawn again (truncation trick, Brock et al. 2019, sec. 3.1).

        Families with an intermediate latent override this with their own truncation.

        Raises:
            InvalidValueError: ``truncation`` is not positive, or so small that resampling finds nothing inside it.
        """
        if not isinstance(truncation, int | float) or not truncation > 0:
            raise InvalidValueError(f"The truncation must be a number above 0, not {truncation!r}.")
        for _ in range(MAX_RESAMPLING):
            outside = z.abs() > truncation
            if not outside.any():
                return z
            z = torch.where(outside, normal(z.shape, rng), z)
        raise InvalidValueError(f"A truncation of {truncation} leaves too little of the latent space to sample from.")

    def latents(self, seeds: Sequence[int], *, truncation: float | None = None) -> Tensor:
        """The latents ``[len(seeds), *latent_shape]`` of single-sample seeds, float32 on the CPU.

        Raises:
            InvalidValueError: a seed out of range, or a truncation that cannot be used.
        """
        rows = []
        for seed in check_seeds(seeds):
            rng = torch.Generator("cpu").manual_seed(seed)
            z = self.draw_latent(rng)
            rows.append(z if truncation is None else self.truncate(z, truncation, rng))
        return torch.stack(rows)

    def inputs(self, seeds: Sequence[int], *, truncation: float | None = None, **options: Any) -> tuple[Tensor, dict[str, Any]]:
        """What ``forward`` takes to make the samples of single-sample seeds: latents, and keyword arguments.

        Families override it where an argument of `sample` means something else than a truncated ``z``, or where the seeds
        decide on more than ``z``.

        Args:
            seeds: Single-sample seeds.
            truncation: As for `sample`.
            **options: Further keyword arguments of ``forward``, those of these samples.

        Returns:
            Latents ``[len(seeds), *latent_shape]``, float32 on the CPU, and the arguments.

        Raises:
            InvalidValueError: an argument that cannot be used.
        """
        return self.latents(seeds, truncation=truncation), options

    def sample(
        self,
        n: int = 1,
        *,
        seed: int | None = None,
        seeds: Sequence[int] | None = None,
        truncation: float | None = None,
        batch_size: int | None = None,
        progress: Progress | None = None,
        **options: Any,
    ) -> S:
        """Makes ``n`` samples, in evaluation mode and without gradients.

        Sample ``i`` of ``seed`` is the same whatever ``n`` and ``batch_size`` are: its latent is bit-identical, and its output
        agrees to the rounding of the backend (some convolution kernels sum in another order for another batch size).

        Args:
            n: How many.
            seed: In ``[0, 2**32)``; None draws one from the operating system. ``samples.seeds`` tells what was used.
            seeds: Instead of ``n`` and ``seed``: the seed of each single sample, as ``samples.seeds`` gives them.
            truncation: Trades variety for quality; what it does exactly is up to the family. None switches it off.
            batch_size: Samples a forward pass; 16 unless the family says otherwise.
            progress: Called with the number of samples finished since the last call.
            **options: Further keyword arguments of ``forward``. A tensor with one entry for each of several samples (their
                classes, say) is handed out with them, batch by batch; anything else goes to every batch as it is. The class
                ``c`` may be a number, a name of `class_names`, or a list of them with one for each sample.

        Raises:
            InvalidValueError: an argument that cannot be used.
            UnknownNameError: a class of a name that there is not.
        """
        chosen = sample_seeds(n, seed) if seeds is None else check_seeds(seeds)
        size = check_count(self.default_batch_size if batch_size is None else batch_size, "The batch size")
        self._check_options(options)
        if progress is not None and not callable(progress):
            raise InvalidValueError(f"`progress` is called with the number of finished samples; {progress!r} cannot be called.")
        if "c" in options:
            options["c"] = class_numbers(options["c"], self.class_names)
        anchor = first_tensor(self)
        outputs: list[Tensor] = []
        with torch.inference_mode(), evaluation_mode(self):
            for start in range(0, len(chosen), size):
                rows = slice(start, start + size)
                part = {name: _rows(value, rows, len(chosen), anchor) for name, value in options.items()}
                z, given = self.inputs(chosen[rows], truncation=truncation, **part)
                if anchor is not None:
                    z = self._place_latents(z, anchor)
                outputs.append(self(z, **given).cpu())  # at once: an accelerator need not hold all samples
                if progress is not None:
                    progress(len(z))
        # A tensor made in inference mode cannot be used under autograd later; joined outside of it, it can.
        return self.to_samples(torch.cat(outputs), chosen)

    def _place_latents(self, z: Tensor, anchor: Tensor) -> Tensor:
        """Latents as ``forward`` takes them: on the device and in the dtype of ``anchor``, one of the network's tensors."""
        return z.to(anchor.device, anchor.dtype)

    def path(self, z: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """A latent that requires a gradient, and the output made from it: what path lengths are measured between.

        Families with an intermediate latent override this and give ``w [N, D]`` or ``[N, layers, D]``.

        Args:
            z: Latents ``[N, ...]``.
            c: Classes ``[N]`` where the network is conditional.
        """
        latent = z.detach().requires_grad_(True)
        return latent, self(latent) if c is None else self(latent, c)

    @abstractmethod
    def to_samples(self, output: Tensor, seeds: Sequence[int]) -> S:
        """``output`` of ``forward``, on the CPU, as the samples that a person gets."""

    def sampling_options(self) -> dict[str, inspect.Parameter]:
        """The keyword arguments of ``forward`` that `sample` takes as options, by name."""
        _, *others = inspect.signature(self.forward).parameters.values()
        return {each.name: each for each in others if each.kind is not each.VAR_KEYWORD}

    def check_latents(self, z: Tensor) -> None:
        """For families to begin ``forward`` with.

        Raises:
            InvalidValueError: ``z`` is no tensor ``[N, *latent_shape]``.
        """
        if not isinstance(z, Tensor) or z.shape[1:] != torch.Size(self.latent_shape):
            wanted, given = ", ".join(map(str, self.latent_shape)), list(z.shape) if isinstance(z, Tensor) else type(z).__name__
            raise InvalidValueError(f"Latents of {type(self).__name__} are [N, {wanted}], not {given}.")

    def _check_options(self, options: dict[str, Any]) -> None:
        known = self.sampling_options()
        for name in options:
            if name not in known:
                offered = f"It knows: {', '.join(known)}." if known else "It has none."
                raise InvalidValueError(f"{type(self).__name__} has no sampling option '{name}'.", hint=offered)


class ImageGenerator(Generator[ImageSamples]):
    """Makes images ``[N, C, H, W]`` in [-1, 1]; ``C`` is 1 (grey), 3 (RGB) or 4 (RGBA)."""

    modality = "image"

    def to_samples(self, output: Tensor, seeds: Sequence[int]) -> ImageSamples:
        """Images as float32."""
        return ImageSamples(output.float(), seeds)


class TextGenerator(Generator[TextSamples]):
    """Makes token ids ``[N, T]`` (int64) and knows what they stand for."""

    modality = "text"

    @property
    @abstractmethod
    def tokenizer(self) -> "Tokenizer":
        """What the ids stand for. `ganzoo.tokenizers.TokenizerBuffer` has one that travels with the weights."""

    def _place_latents(self, z: Tensor, anchor: Tensor) -> Tensor:
        """Latents on the network's device, in float32 whatever its dtype: they decide between tokens."""
        return z.to(anchor.device)

    def to_samples(self, output: Tensor, seeds: Sequence[int]) -> TextSamples:
        """Token ids with their tokenizer."""
        return TextSamples(output, seeds, tokenizer=self.tokenizer)


class AudioGenerator(Generator[AudioSamples]):
    """Makes sound ``[N, C, T]`` in [-1, 1] at a sample rate."""

    modality = "audio"

    @property
    @abstractmethod
    def sample_rate(self) -> int:
        """Hz."""

    def to_samples(self, output: Tensor, seeds: Sequence[int]) -> AudioSamples:
        """Sound as float32."""
        return AudioSamples(output.float(), seeds, sample_rate=self.sample_rate)


class VideoGenerator(Generator[VideoSamples]):
    """Makes videos ``[N, C, T, H, W]`` in [-1, 1] at a frame rate."""

    modality = "video"

    @property
    @abstractmethod
    def frame_rate(self) -> float:
        """Frames a second."""

    def to_samples(self, output: Tensor, seeds: Sequence[int]) -> VideoSamples:
        """Videos as float32."""
        return VideoSamples(output.float(), seeds, frame_rate=self.frame_rate)


class VectorGenerator(Generator[VectorSamples]):
    """Makes points ``[N, D]``, unbounded; no forward pass is costly here, so batches are large."""

    modality = "vector"
    default_batch_size: ClassVar[int] = 1024

    def to_samples(self, output: Tensor, seeds: Sequence[int]) -> VectorSamples:
        """Points as float32."""
        return VectorSamples(output.float(), seeds)


def normal(shape: Sequence[int], rng: torch.Generator) -> Tensor:
    """Standard normal numbers, float32 on the CPU whatever the process's default dtype and device are."""
    return torch.randn(tuple(shape), generator=rng, dtype=torch.float32, device="cpu")


def _rows(value: Any, rows: slice, count: int, anchor: Tensor | None) -> Any:
    """The entries of an option that belong to some of ``count`` samples, on the network's device."""
    if not isinstance(value, Tensor):
        return value
    mine = value[rows] if count > 1 and value.dim() and len(value) == count else value
    return mine if anchor is None else mine.to(anchor.device)


@contextlib.contextmanager
def evaluation_mode(network: Network) -> Iterator[None]:
    """``network`` in evaluation mode inside the block, each module's own mode restored after it."""
    modes = [(module, module.training) for module in network.modules() if module.training]
    network.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training
