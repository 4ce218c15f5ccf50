"""Package attributes that are imported on first use, for packages whose import must stay light."""

import importlib
import sys
from collections.abc import Callable, Mapping


def lazy_names(package: str, public: Mapping[str, str]) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """``__getattr__`` and ``__dir__`` of a package.

    `ganzoo` itself writes the same out by hand: importing it must import nothing, not even this.

    Args:
        package: Its ``__name__``.
        public: Each public name, and the submodule of ``package`` that has it.
    """
    names = vars(sys.modules[package])

    def find(name: str) -> object:
        module = public.get(name)
        if module is None:
            raise AttributeError(f"module '{package}' has no attribute {name!r}")
        names[name] = getattr(importlib.import_module(f"{package}.{module}"), name)
        return names[name]

    return find, lambda: sorted({*names, *public})
