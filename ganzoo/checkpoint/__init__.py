"""What a file on disk is: its tensors, which architecture they belong to, and the zoo's own layout.

Nothing in a file is ever executed. Importing this package imports no torch; each name is resolved on first use, so that a
plugin's layout readers stay light.
"""

from ganzoo.lazy import lazy_names

TYPE_CHECKING = False  # typing.TYPE_CHECKING without importing typing; type checkers know the name
if TYPE_CHECKING:
    from ganzoo.checkpoint.conversion import conversion_key as conversion_key
    from ganzoo.checkpoint.conversion import convert as convert
    from ganzoo.checkpoint.conversion import file_sha256 as file_sha256
    from ganzoo.checkpoint.conversion import store as store
    from ganzoo.checkpoint.folder import ModelConfig as ModelConfig
    from ganzoo.checkpoint.folder import StoredModel as StoredModel
    from ganzoo.checkpoint.folder import read_model as read_model
    from ganzoo.checkpoint.folder import write_model as write_model
    from ganzoo.checkpoint.layout import LayoutReader as LayoutReader
    from ganzoo.checkpoint.reading import Checkpoint as Checkpoint
    from ganzoo.checkpoint.reading import read_checkpoint as read_checkpoint
    from ganzoo.checkpoint.recognition import Match as Match
    from ganzoo.checkpoint.recognition import best_matches as best_matches
    from ganzoo.checkpoint.recognition import module_classes as module_classes
    from ganzoo.checkpoint.recognition import recognise as recognise
    from ganzoo.checkpoint.safetensors_file import read_safetensors as read_safetensors
    from ganzoo.checkpoint.safetensors_file import write_safetensors as write_safetensors
    from ganzoo.checkpoint.stated import Stated as Stated
    from ganzoo.checkpoint.states import StateDict as StateDict

_PUBLIC = {
    "Checkpoint": "reading",
    "LayoutReader": "layout",
    "Match": "recognition",
    "ModelConfig": "folder",
    "StateDict": "states",
    "Stated": "stated",
    "StoredModel": "folder",
    "best_matches": "recognition",
    "conversion_key": "conversion",
    "convert": "conversion",
    "file_sha256": "conversion",
    "module_classes": "recognition",
    "read_checkpoint": "reading",
    "read_model": "folder",
    "read_safetensors": "safetensors_file",
    "recognise": "recognition",
    "store": "conversion",
    "write_model": "folder",
    "write_safetensors": "safetensors_file",
}

__all__ = [
    "Checkpoint",
    "LayoutReader",
    "Match",
    "ModelConfig",
    "StateDict",
    "Stated",
    "StoredModel",
    "best_matches",
    "conversion_key",
    "convert",
    "file_sha256",
    "module_classes",
    "read_checkpoint",
    "read_model",
    "read_safetensors",
    "recognise",
    "store",
    "write_model",
    "write_safetensors",
]


__getattr__, __dir__ = lazy_names(__name__, _PUBLIC)
