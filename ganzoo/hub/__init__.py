"""Where weights come from: the Hugging Face Hub, https servers and installed packages. Everything that leaves here is verified.

Importing this package imports neither huggingface_hub nor torch; the client is imported by the first call that needs it,
and with it its settings (``HF_HOME``, ``HF_ENDPOINT``, ``HF_TOKEN``, ``HF_HUB_OFFLINE``).
"""

from ganzoo.hub.fetch import cached_path, fetch
from ganzoo.hub.fetched import Fetched
from ganzoo.hub.repository import fetch_file, resolve_revision

__all__ = ["Fetched", "cached_path", "fetch", "fetch_file", "resolve_revision"]
