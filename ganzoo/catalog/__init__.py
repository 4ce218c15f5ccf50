"""What exists: the model cards of ``registry/`` and of the installed plugins, found without importing any of them."""

from ganzoo.catalog.catalogue import Catalog, catalog, list_models, model_card

__all__ = [
    "Catalog",
    "catalog",
    "list_models",
    "model_card",
]
