"""How much memory a file may make its reader use: in proportion to the file, above a floor that every honest file fits in."""

from dataclasses import dataclass

FLOOR = 32 * 2**20  # bytes of memory for the objects of a pickle


@dataclass(frozen=True)
class Allowance:
    """The most that one file may hold.

    Attributes:
        memory: Bytes of memory for the values of its pickle, tensors' data not counted.
        objects: Containers and calls that become something; a tensor is about seven.
        tensors: Tensors.
        names: Names of tensors in whole modules, counted again for each module around them.
        values: Plain values that say how its networks were made.
    """

    memory: int
    objects: int
    tensors: int
    names: int
    values: int

    @classmethod
    def of(cls, size: int) -> "Allowance":
        """What a file of ``size`` bytes may use.

        The divisors are a quarter or less of the bytes that PyTorch spends on one such thing in any of its formats.
        """
        return cls(
            memory=FLOOR + 8 * size,
            objects=min(500_000, 50_000 + size // 16),
            tensors=min(100_000, 10_000 + size // 64),
            names=min(200_000, 20_000 + size // 32),
            values=min(500_000, 50_000 + size // 64),
        )
