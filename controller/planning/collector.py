"""Python's search for circles of garbage, put off while a plan is made."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def put_off() -> Iterator[None]:
    """Planning makes a hundred thousand values that stay and no circles of them; to look for some each time their
    number has grown by a quarter takes as long as a third of the planning itself.
    """
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
