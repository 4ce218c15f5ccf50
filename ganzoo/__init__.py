"""ganzoo: a plugin-based model zoo for generative adversarial networks.

Importing this package imports nothing else. Every public name is resolved on first use, so that ``ganzoo list`` and shell
completion never pay for torch.
"""

TYPE_CHECKING = False  # typing.TYPE_CHECKING without importing typing; type checkers know the name
if TYPE_CHECKING:
    from ganzoo.catalog import Catalog as Catalog
    from ganzoo.catalog import list_models as list_models
    from ganzoo.catalog import model_card as model_card
    from ganzoo.errors import GanzooError as GanzooError
    from ganzoo.hookspecs import hookimpl as hookimpl
    from ganzoo.loading import load as load
    from ganzoo.models import Discriminator as Discriminator
    from ganzoo.models import Generator as Generator
    from ganzoo.models import Samples as Samples
    from ganzoo.spec import Architecture as Architecture
    from ganzoo.spec import ModelCard as ModelCard

__version__ = "0.1.0"

_PUBLIC = {
    "Architecture": "ganzoo.spec",
    "Catalog": "ganzoo.catalog",
    "Discriminator": "ganzoo.models",
    "GanzooError": "ganzoo.errors",
    "Generator": "ganzoo.models",
    "ModelCard": "ganzoo.spec",
    "Samples": "ganzoo.models",
    "hookimpl": "ganzoo.hookspecs",
    "list_models": "ganzoo.catalog",
    "load": "ganzoo.loading",
    "model_card": "ganzoo.catalog",
}

__all__ = [
    "Architecture",
    "Catalog",
    "Discriminator",
    "GanzooError",
    "Generator",
    "ModelCard",
    "Samples",
    "__version__",
    "hookimpl",
    "list_models",
    "load",
    "model_card",
]


def __getattr__(name: str) -> object:
    module = _PUBLIC.get(name)
    if module is None:
        raise AttributeError(f"module 'ganzoo' has no attribute {name!r}")
    import importlib

    value = getattr(importlib.import_module(module), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_PUBLIC})
