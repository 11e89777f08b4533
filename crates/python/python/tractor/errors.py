"""What goes wrong, with the codes and the words it has in every part of TrActor."""

from __future__ import annotations


class Error(Exception):
    """Anything of these."""


class CaptureError(Error):
    """Not a single frame of a capture can be read.

    `code` is stable (`E-NOT-A-CAPTURE`), `message` says what happened and what can be done, `name` is the capture's, and
    `offset` is where it happened, in bytes from its start, or None.
    """

    def __init__(self, code: str, message: str, name: str, offset: int | None = None) -> None:
        super().__init__(f"{name}: {code}: {message}")
        self.code, self.message, self.name, self.offset = code, message, name, offset

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        return type(self), (self.code, self.message, self.name, self.offset)


class RequestError(Error, ValueError):
    """What is asked for makes no sense: a filter, a schema, a timeout, a model.

    `code` is the number the HTTP interface has for it (42200, 42201 of a filter), `message` says what is wrong.
    """

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        return type(self), (self.code, self.message)


class CaptureWarning(UserWarning):
    """Something of a capture was not read; the rest was."""
