"""Landlock without a single rule: no file can be opened, no TCP port used, no signal sent out of the domain."""

from __future__ import annotations

import os
import struct

from sandbox.kernel import LANDLOCK_CREATE_RULESET, LANDLOCK_RESTRICT_SELF, syscall

_VERSION_FLAG = 1

# Rights that each version of the interface added; naming an unknown one is an error, so they are added by version.
_FILE_RIGHTS = {1: 0x1FFF, 2: 0x2000, 3: 0x4000, 5: 0x8000}
_NETWORK_SINCE, _NETWORK_RIGHTS = 4, 0x3  # bind and connect, TCP
_SCOPE_SINCE, _SCOPES = 6, 0x3  # abstract sockets and signals stay inside the domain


def version() -> int:
    """The kernel's version of the interface. Raises OSError where Landlock is missing or switched off."""
    return syscall("landlock_create_ruleset", LANDLOCK_CREATE_RULESET, None, 0, _VERSION_FLAG)


def _attributes(available: int) -> bytes:
    files = sum(bits for since, bits in _FILE_RIGHTS.items() if since <= available)
    words = [files]
    if available >= _NETWORK_SINCE:
        words.append(_NETWORK_RIGHTS)
    if available >= _SCOPE_SINCE:
        words.append(_SCOPES)
    return struct.pack(f"={len(words)}Q", *words)


def deny_everything() -> str:
    """Confine this process and its future children, for good; needs no_new_privs. Answers what was denied."""
    available = version()
    attributes = _attributes(available)
    rules = syscall("landlock_create_ruleset", LANDLOCK_CREATE_RULESET, attributes, len(attributes), 0)
    try:
        syscall("landlock_restrict_self", LANDLOCK_RESTRICT_SELF, rules, 0)
    finally:
        os.close(rules)
    denied = ["files"]
    if available >= _NETWORK_SINCE:
        denied.append("TCP")
    if available >= _SCOPE_SINCE:
        denied.append("signals and abstract sockets outside")
    return f"version {available}: {', '.join(denied)}"
