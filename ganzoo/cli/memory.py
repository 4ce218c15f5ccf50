"""How a process of the command line gets its memory."""

import ctypes
import os
import platform

_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4  # of malloc.h
_MOST = 2**31 - 1  # bytes; the largest int


def keep_freed_memory() -> bool:
    """Tells glibc to keep memory that is freed instead of giving it back to the system; whether that was possible.

    Feature maps are large, so that each of them is asked from the system, which hands it out page by page, and given back at
    once, which costs page faults every time. Only for processes that are ours: a library must not decide this for others.
    Whoever has set an option of malloc keeps it, and other libraries for C than glibc are left alone.
    """
    if platform.libc_ver()[0] != "glibc" or any(name.startswith("MALLOC_") or name == "GLIBC_TUNABLES" for name in os.environ):
        return False
    mallopt = ctypes.CDLL(None).mallopt
    return bool(mallopt(_M_MMAP_MAX, 0)) and bool(mallopt(_M_TRIM_THRESHOLD, _MOST))
