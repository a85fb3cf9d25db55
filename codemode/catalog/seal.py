"""What a stolen catalogue must not tell: sealed with keys that are in a file of their own, never in the database.

Values are sealed by AES-256-GCM, each to its place, so that one cannot be moved to where somebody else may read it. The
first key of the file seals, all of them open: a new key is put above the old ones. Outside ids are hashed under the
last one, since a hash cannot be made anew.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from codemode.errors import ExtraMissing, RequestInvalid, SecretMissing

_LEAST = 32  # characters of a key: `secrets.token_urlsafe(32)` has 43
_NONCE = 12  # bytes, as NIST SP 800-38D has it
_HINT = "name a file in the setting secret_keys_file that has a key of 32 characters or more in each line, newest first"


class Seal:
    """Seals, opens and hashes with the keys that it has; raises SecretMissing where that takes one that it has not."""

    def __init__(self, keys: Sequence[str] = ()) -> None:
        self._keys = [key.encode() for key in keys]

    @classmethod
    def of_file(cls, path: str) -> Seal:
        """With the keys of a file, newest first, or with none where no file is named; raises RequestInvalid."""
        if not path:
            return cls()
        try:
            keys = [line.strip() for line in Path(path).read_text("utf-8").splitlines() if line.strip()]
        except (OSError, UnicodeDecodeError) as error:
            raise RequestInvalid(f"the keys of secret_keys_file cannot be read: {error}", hint=_HINT) from None
        if not keys or any(len(key) < _LEAST for key in keys):
            raise RequestInvalid(f"{path} has no key, or one of under {_LEAST} characters", hint=_HINT)
        return cls(keys)

    def hash(self, text: str) -> str:
        """What stands for `text` where only its equality matters."""
        if not self._keys:
            raise SecretMissing("outside ids are kept as keyed hashes, and there is no key", hint=_HINT)
        return hmac.new(_derived(self._keys[-1], "outside id"), text.encode(), hashlib.sha256).hexdigest()

    def seal(self, text: str, place: str) -> str:
        """`text`, which only these keys open, at this place alone."""
        if not self._keys:
            raise SecretMissing("sensitive values are stored sealed, and there is no key", hint=_HINT)
        key, nonce = self._keys[0], os.urandom(_NONCE)
        sealed = _cipher(key).encrypt(nonce, text.encode(), place.encode())
        return f"1.{_name(key)}.{base64.urlsafe_b64encode(nonce + sealed).decode()}"

    def open(self, sealed: str, place: str) -> str:
        """What was sealed for this place."""
        _, name, text = sealed.split(".", 2)
        key = next((key for key in self._keys if _name(key) == name), None)
        if key is None:
            raise SecretMissing(f"the value is sealed with the key {name}, which is not there", hint=_HINT)
        found = base64.urlsafe_b64decode(text)
        try:
            return str(_cipher(key).decrypt(found[:_NONCE], found[_NONCE:], place.encode()), "utf-8")
        except _invalid_tag():
            raise SecretMissing(
                "the value was not sealed for this place: it was changed or moved", hint=_HINT
            ) from None


def _derived(key: bytes, use: str) -> bytes:
    """32 bytes for one use of a key, so that no use tells anything of another."""
    return hmac.new(key, f"codemode {use}".encode(), hashlib.sha256).digest()


def _name(key: bytes) -> str:
    return _derived(key, "name").hex()[:8]


def _cipher(key: bytes) -> Any:
    try:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    except ImportError:
        raise ExtraMissing(
            "sealing needs a package that is not installed", hint="pip install 'codemode[seal]'"
        ) from None
    return AESGCM(_derived(key, "seal"))


def _invalid_tag() -> type[Exception]:
    from cryptography.exceptions import InvalidTag

    return InvalidTag
