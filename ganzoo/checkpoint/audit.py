"""What a pickle may ask for: the exact list of names that known containers need to describe tensors."""

from collections.abc import Collection, Iterable
from pathlib import Path

from ganzoo.checkpoint.pickle_state import RECONSTRUCTOR
from ganzoo.checkpoint.wording import printable
from ganzoo.errors import CheckpointError, HostileFileError

RESAVE = "In the program that made it, save the weights alone: torch.save(model.state_dict(), path)."
_HARMLESS = "It may be harmless (a whole model, say), but building it means running somebody's code. "

DTYPES = {
    *("float16", "float32", "float64", "bfloat16", "complex32", "complex64", "complex128", "bool"),
    *("uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64"),
    *("float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2", "float8_e5m2fnuz", "float8_e8m0fnu"),
}
STORAGES = {
    **{"Float": "float32", "Double": "float64", "Half": "float16", "BFloat16": "bfloat16"},
    **{"ComplexFloat": "complex64", "ComplexDouble": "complex128", "Bool": "bool"},
    **{"Long": "int64", "Int": "int32", "Short": "int16", "Char": "int8", "Byte": "uint8", "Untyped": "uint8"},
}
_REBUILDERS = {"tensor", "tensor_v2", "tensor_v3", "parameter", "parameter_with_state"}
_NUMPY = {
    f"numpy.{core}.{name}"
    for core in ("core", "_core")
    for name in ("multiarray.scalar", "multiarray._reconstruct", "numeric._frombuffer")
}
# Options that programs save beside their weights; read as plain tables.
TABLES = frozenset({"argparse.Namespace", "dnnlib.util.EasyDict", "models.utils.config.BaseConfig"})
# How NVIDIA's programs write whole networks: with the source text of their classes, which nobody here ever compiles.
PERSISTENCE = "torch_utils.persistence._reconstruct_persistent_obj"
TF_NETWORKS = {
    "dnnlib.tflib.network.Network": "NVIDIA's TensorFlow programs",
    "tfutil.Network": "NVIDIA's TensorFlow program of Progressive GAN",
}
# What objects derive from, by the protocols that say so.
_BASES = {"builtins.object", "builtins.dict"}

# Kept as records that say what was there; nothing of theirs is needed to read weights.
INERT = frozenset({"torch.device", "builtins.set", "builtins.frozenset", "numpy.ndarray", *_NUMPY})
ALLOWED = (
    INERT
    | TABLES
    | {
        *(PERSISTENCE, *TF_NETWORKS, RECONSTRUCTOR, *_BASES),
        *("collections.OrderedDict", "collections.Counter", "builtins.complex", "builtins.bytearray", "builtins.bytes"),
        *("_codecs.encode", "numpy.dtype"),
        *("torch.Size", "torch.Tensor", "torch.nn.parameter.Parameter", "torch._tensor._rebuild_from_type_v2"),
        *("torch.storage.TypedStorage", "torch.storage.UntypedStorage"),
        *(f"torch._utils._rebuild_{name}" for name in _REBUILDERS),
        *(f"torch.{name}" for name in DTYPES),
        *(f"torch.{device}{name}Storage" for name in STORAGES for device in ("", "cuda.")),
    }
)
NESTED = "torch.storage._load_from_bytes"  # a storage as a file of torch.save inside another pickle
# Tensors without plain data, and what only they ask for.
UNSUPPORTED = {
    "torch._utils._rebuild_qtensor": "quantised",
    "torch._utils._rebuild_sparse_tensor": "sparse",
    "torch._utils._rebuild_nested_tensor": "nested",
    "torch._utils._rebuild_meta_tensor_no_storage": "empty (meta)",
    "torch._utils._rebuild_device_tensor_from_numpy": "accelerator",
    "torch._utils._rebuild_device_tensor_from_cpu_tensor": "accelerator",
    "torch._utils._rebuild_wrapper_subclass": "wrapped",
}
_BESIDE_UNSUPPORTED = {
    *("torch.serialization._get_layout", "torch.per_tensor_affine", "torch.per_channel_affine"),
    *("torch.qint8", "torch.quint8", "torch.qint32", "torch.QInt8Storage", "torch.QUInt8Storage", "torch.QInt32Storage"),
}

# Asking for one of these is an attack, not a class that happens to be unsupported.
_DANGEROUS_MODULES = {
    *("os", "posix", "nt", "sys", "subprocess", "socket", "shutil", "pty", "commands", "runpy", "importlib", "code", "codeop"),
    *("webbrowser", "ctypes", "multiprocessing", "asyncio", "pickle", "_pickle", "marshal", "types", "functools", "operator"),
    *("builtins", "pip", "timeit", "pdb", "bdb", "cProfile", "profile", "trace"),
}


def is_dangerous(name: str) -> bool:
    """Whether a global is a way to run code, as far as its module's name tells."""
    return name.partition(".")[0] in _DANGEROUS_MODULES or name.startswith("<")


def check_names(path: Path, names: Iterable[str], also: Collection[str] = ()) -> None:
    """Refuses what is outside the list.

    Args:
        path: The file, for messages.
        names: What it asks for.
        also: Exact names that are allowed besides, as inert records.

    Raises:
        HostileFileError: it names everything that is not on the list, the most alarming first.
        CheckpointError: all of it is harmless, but there are tensors without plain data.
    """
    names = list(names)
    known = (ALLOWED, UNSUPPORTED, _BESIDE_UNSUPPORTED, also)
    outside = [name for name in names if not any(name in each for each in known)]
    if outside:
        forbidden = sorted(outside, key=lambda name: not is_dangerous(name))
        shown = [printable(name, 100) for name in forbidden[:12]]
        more = [f"{len(forbidden) - 12} more"] if len(forbidden) > 12 else []
        raise HostileFileError(str(path), shown + more, hint=None if is_dangerous(forbidden[0]) else f"{_HARMLESS}{RESAVE}")
    for name in names:
        if name in UNSUPPORTED or name in _BESIDE_UNSUPPORTED:
            kind = UNSUPPORTED.get(name, "quantised or sparse")
            raise CheckpointError(f"{path} holds a tensor without plain data ({kind}), which is not read.", hint=RESAVE)
