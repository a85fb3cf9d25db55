"""What a helper complains of, as an error of the worker's tree: for hosts, who call helpers too."""

from __future__ import annotations

from codemode.errors import CodemodeError, RequestInvalid, error_of
from sandbox.helpers import HelperError


def as_error(error: HelperError) -> CodemodeError:
    """A helper's own complaint about its arguments, as an error of the worker's tree."""
    kind = error_of(error.code) or RequestInvalid
    return kind(
        error.message, hint=error.hint, did_you_mean=error.did_you_mean or (), available=error.available or (),
        sql=error.sql, suggestion=error.suggestion,
    )  # fmt: skip
