"""Standard output that may be on a full disk: a command does its work all the same, and says so once at its end.

A mail that was taken in and an event that was imported are there whether or not the line that tells of it can be
written. A pipe whose reader has gone is something else: nobody wants to hear more, and the command ends.
"""

import io
import sys
from typing import Any

from eventreg.errors import EventRegError


class _Descriptor(io.FileIO):
    """Standard output below its buffers. What cannot be written, and whatever would follow it, is dropped."""

    trouble: OSError | None = None

    def write(self, data: Any, /) -> int:
        if self.trouble is None:
            try:
                return super().write(data)
            except BrokenPipeError:
                raise
            except OSError as error:
                self.trouble = error
        return memoryview(data).nbytes


class Output:
    """Puts itself in the place of `sys.stdout`, where there is one."""

    def __init__(self) -> None:
        given = sys.stdout
        self._descriptor: _Descriptor | None = None
        if not isinstance(given, io.TextIOWrapper):
            return
        self._descriptor = _Descriptor(given.fileno(), "w", closefd=False)
        is_buffered = isinstance(given.buffer, io.BufferedWriter)
        sys.stdout = io.TextIOWrapper(
            io.BufferedWriter(self._descriptor) if is_buffered else self._descriptor,  # as Python does for -u
            encoding=given.encoding,
            errors=given.errors,
            line_buffering=given.line_buffering,
            write_through=given.write_through,
        )

    def settle(self) -> None:
        """Writes what is still kept back. Raises: EventRegError when anything could not be written."""
        if self._descriptor is None:
            return
        sys.stdout.flush()
        if self._descriptor.trouble is not None:
            why = self._descriptor.trouble.strerror
            raise EventRegError(f"Standard output cannot be written to: {why}. All else was done.")
