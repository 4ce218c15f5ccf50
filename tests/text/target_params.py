"""Files such as SeqGAN's ``target_params.pkl``, made from arrays as Python 2 and 3 write them."""

import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def python_3(path: Path, arrays: Sequence[Array], protocol: int) -> Path:
    """By Python's own pickler."""
    path.write_bytes(pickle.dumps(list(arrays), protocol))
    return path


def python_2(path: Path, arrays: Sequence[Array]) -> Path:
    """As Python 2 and NumPy 1 write it with protocol 0: text, the numbers as the ``repr`` of a string."""
    path.write_bytes(b"(lp0\n" + b"".join(_python_2_array(array) + b"a" for array in arrays) + b".")
    return path


def _python_2_array(array: Array) -> bytes:
    shape = b"(" + b"".join(b"I%d\n" % n for n in array.shape) + b"t"
    dtype = b"cnumpy\ndtype\n(S'f4'\nI0\nI1\ntR(I3\nS'<'\nNNNI-1\nI-1\nI0\ntb"
    content = repr(array.astype("<f4").tobytes())[1:].encode()  # a string of Python 2 is written like bytes of Python 3
    made = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR"
    return made + b"(I1\n" + shape + dtype + b"I00\nS" + content + b"\ntb"
