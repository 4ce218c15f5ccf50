"""The common ground of all networks: constructor arguments are recorded, so that config -> network -> config round-trips."""

import inspect
import itertools
import math
from abc import ABCMeta
from typing import Any, ClassVar

from torch import Tensor, nn

from ganzoo.errors import ConfigError


class _Recorder(ABCMeta):
    """Binds the arguments of every construction and keeps them on the instance.

    A metaclass sees the outermost call only, so a subclass that calls ``super().__init__`` with other arguments records its
    own. It is an `ABCMeta`, so that a network which lacks a part of its contract cannot be built.
    """

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        signature = inspect.signature(cls.__init__)  # type: ignore[misc]  # of this very class, so it is sound
        bound = signature.bind(None, *args, **kwargs)  # None stands for self
        bound.apply_defaults()
        arguments = list(bound.arguments.items())[1:]
        config = {name: json_value(value, name) for name, value in arguments}
        network = super().__call__(*args, **kwargs)
        network._config = config
        return network


class Network(nn.Module, metaclass=_Recorder):
    """A generator, discriminator or encoder. Constructor arguments are plain JSON values."""

    _config: dict[str, Any]
    modality: ClassVar[str]

    @property
    def config(self) -> dict[str, Any]:
        """The constructor arguments, defaults included, as JSON values. ``type(network)(**network.config)`` builds its twin."""
        return dict(self._config)

    def parameter_count(self) -> int:
        """The number of parameters."""
        return sum(p.numel() for p in self.parameters())


def json_value(value: Any, where: str) -> Any:
    """``value`` as JSON would give it back: tuples become lists.

    Raises:
        ConfigError: it is no JSON value (or a NaN or infinity, which JSON does not have); the message names ``where``.
    """
    match value:
        case None | bool() | int() | str():
            return value
        case float() if math.isfinite(value):
            return value
        case list() | tuple():
            return [json_value(item, f"{where}[{i}]") for i, item in enumerate(value)]
        case dict() if all(isinstance(key, str) for key in value):
            return {key: json_value(item, f"{where}.{key}") for key, item in value.items()}
        case _:
            raise ConfigError(
                f"The constructor argument '{where}' is a {type(value).__name__} ({value!r}), not a JSON value.",
                hint="Networks of ganzoo are built from plain JSON values, so that their configuration can be saved.",
            )


def first_tensor(module: nn.Module) -> Tensor | None:
    """A parameter or buffer of ``module``, to read its device and dtype from."""
    return next(itertools.chain(module.parameters(), module.buffers()), None)
