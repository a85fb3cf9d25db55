"""Answers that are errors, as the very exceptions that the embedded engine raises."""

from __future__ import annotations

from typing import Any

from codemode.client.ask import stranger
from codemode.errors import CodemodeError, error_of
from codemode.plain import decode

_FIELDS = ("hint", "sql", "suggestion")


def problem(document: dict[str, Any]) -> CodemodeError:
    """The exception that a problem document tells of."""
    code = str(document.get("code", ""))
    kind = error_of(code) or _nearest(code)
    error = kind(
        str(document.get("detail", "")),
        did_you_mean=document.get("did_you_mean", ()),
        available=document.get("available", ()),
        **{name: document.get(name) for name in _FIELDS},
    )
    if error.code != code:  # of a newer service: nearly always its family is known, and its code is told in any case
        error.__dict__.update(code=code, retryable=bool(document.get("retryable")))
    return error


def refused(status: int, body: bytes) -> CodemodeError:
    """The exception for an answer above 299."""
    try:
        document = decode(body)
    except ValueError:
        document = None
    if isinstance(document, dict) and isinstance(document.get("code"), str):
        return problem(document)
    return stranger(f"status {status} without a problem document")


def _nearest(code: str) -> type[CodemodeError]:
    family = code.partition(".")[0]
    kinds = {each.code.partition(".")[0]: each for each in reversed(CodemodeError.__subclasses__())}
    return kinds.get(family, CodemodeError)
