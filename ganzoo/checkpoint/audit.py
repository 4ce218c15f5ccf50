"""Reads the opcodes of a pickle and tells what it would build, without building any of it.

A pickle is a program; the only way for it to reach code is to ask for a *global* (a module's function or class) by name. The
audit lists every such name. What may be asked for is an exact list: the parts that ``torch.save`` needs to describe tensors.
"""

import pickletools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, Any

_DTYPES = {
    *("float16", "float32", "float64", "bfloat16", "complex32", "complex64", "complex128", "bool"),
    *("uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64"),
    *("float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2", "float8_e5m2fnuz", "float8_e8m0fnu"),
}
_STORAGES = {
    *("Float", "Double", "Half", "BFloat16", "ComplexFloat", "ComplexDouble"),
    *("Long", "Int", "Short", "Char", "Byte", "Bool"),
}
_REBUILDERS = {"tensor", "tensor_v2", "tensor_v3", "parameter", "parameter_with_state"}

TENSOR_GLOBALS = frozenset(
    {
        "collections.OrderedDict",
        "collections.Counter",
        "builtins.set",
        "builtins.complex",
        "builtins.bytearray",
        "_codecs.encode",
        "torch.Size",
        "torch.device",
        "torch.Tensor",
        "torch.nn.parameter.Parameter",
        "torch.serialization._get_layout",
        "torch._tensor._rebuild_from_type_v2",
        "torch.storage.TypedStorage",
        "torch.storage.UntypedStorage",
        *(f"torch._utils._rebuild_{name}" for name in _REBUILDERS),
        *(f"torch.{name}" for name in _DTYPES),
        *(f"torch.{name}Storage" for name in _STORAGES),
        *(f"torch.cuda.{name}Storage" for name in _STORAGES),
    }
)
# NumPy scalars are common in training checkpoints (a best FID, say). They are read as inert records, never by NumPy.
NUMPY_GLOBALS = frozenset({"numpy.dtype", "numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar"})
ALLOWED_GLOBALS = TENSOR_GLOBALS | NUMPY_GLOBALS

# Asking for one of these is an attack, not a class that happens to be unsupported.
_DANGEROUS_MODULES = {
    *("os", "posix", "nt", "sys", "subprocess", "socket", "shutil", "pty", "commands", "runpy", "importlib", "code", "codeop"),
    *("webbrowser", "ctypes", "multiprocessing", "asyncio", "pickle", "_pickle", "marshal", "types", "functools", "operator"),
    *("builtins", "pip", "timeit", "pdb", "bdb", "cProfile", "profile", "trace"),
}

_STRINGS = frozenset({"STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "BINUNICODE8", "SHORT_BINUNICODE"})
_GETS = frozenset({"GET", "BINGET", "LONG_BINGET"})
_PUTS = frozenset({"PUT", "BINPUT", "LONG_BINPUT"})
_EXTENSIONS = frozenset({"EXT1", "EXT2", "EXT4"})
_PYTHON2_MODULES = {"__builtin__": "builtins", "copy_reg": "copyreg"}


@dataclass
class Audit:
    """What one pickle asks for.

    Attributes:
        protocol: The highest protocol it declares; 0 or 1 declare none.
        names: Every global, ``module.name``, in order of first appearance.
        first_value: The first literal it pushes; ``torch.save``'s legacy files begin with a magic number.
    """

    protocol: int = 0
    names: dict[str, None] = field(default_factory=dict)
    first_value: object = None

    @property
    def forbidden(self) -> list[str]:
        """The names that are not on the list, the most alarming first."""
        outside = [name for name in self.names if name not in ALLOWED_GLOBALS]
        return sorted(outside, key=lambda name: not is_dangerous(name))


class PickleError(Exception):
    """The bytes are no complete pickle; ``audit`` is what was found before they end or break."""

    def __init__(self, problem: str, audit: Audit) -> None:
        super().__init__(problem)
        self.audit = audit


def is_dangerous(name: str) -> bool:
    """Whether a global is a way to run code, as far as its module's name tells."""
    return name.partition(".")[0] in _DANGEROUS_MODULES or name.startswith("<")


def audit_pickle(stream: IO[bytes]) -> Audit:
    """Reads one pickle from ``stream`` up to its STOP opcode and leaves the stream after it.

    Raises:
        PickleError: the stream ends early or holds no opcodes.
    """
    audit = Audit()
    try:
        for name in _globals(stream, audit):
            audit.names.setdefault(name)
    except Exception as e:  # pickletools raises nearly anything on bad bytes
        raise PickleError(f"not a complete pickle: {e}", audit) from e
    return audit


def _globals(stream: IO[bytes], audit: Audit) -> Iterator[str]:
    memo: dict[int, object] = {}
    recent: list[object] = [None, None]  # the last two values pushed, None where they are no literal strings
    seen_value = False
    argument: Any  # its type depends on the opcode
    for opcode, argument, _ in pickletools.genops(stream):
        name = opcode.name
        if name == "PROTO":
            audit.protocol = max(audit.protocol, int(argument))
            continue
        if name == "FRAME":
            continue
        if name == "MEMOIZE":
            memo[len(memo)] = recent[-1]
            continue
        if name in _PUTS:
            memo[int(argument)] = recent[-1]
            continue
        if not seen_value:
            audit.first_value, seen_value = argument, True
        if name in ("GLOBAL", "INST"):
            yield _qualified(*str(argument).split(" ", 1))
        elif name == "STACK_GLOBAL":
            yield _qualified(*recent)
        elif name in _EXTENSIONS:
            yield f"<extension registry code {argument}>"
        pushed = argument if name in _STRINGS else memo.get(int(argument)) if name in _GETS else None
        recent = [recent[-1], pushed]


def _qualified(module: object, name: object = "") -> str:
    if not isinstance(module, str) or not isinstance(name, str):
        return "<a name computed while loading>"
    return f"{_PYTHON2_MODULES.get(module, module)}.{name}"
