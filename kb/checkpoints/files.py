"""A file that is written whole or not at all."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """A new file beside `path` that takes its place when the block ends, and vanishes when the block fails.

    Who opens `path` meanwhile sees the old file, never half of the new one.
    """
    target = Path(path)
    temporary = target.with_name(f".{target.name}.{uuid.uuid4().hex}.tmp")  # same folder: a rename stays atomic
    try:
        with open(temporary, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())  # the bytes reach the disk before the name does
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)  # already gone after the rename
