"""Time zones in memory: a confined child cannot open their files when a snippet asks for one."""

from __future__ import annotations

import importlib.util
import io
import os
import zoneinfo
import zoneinfo._common
from collections.abc import Iterator

_MAGIC = b"TZif"  # begins the file of a zone; others lie beside them
_files: dict[str, bytes] = {}


def preload() -> None:
    """Read the files of all zones of this host and of the tzdata package, and have zones made from what was read.

    About 600 files, half a megabyte, shared by all children. A zone is made when a snippet asks for it: making all of
    them here would take three times as long as reading them.
    """
    if _files:
        return
    for folder in (*zoneinfo.TZPATH, *_package()):  # in the order in which `ZoneInfo` looks for a file
        for key, path in _below(folder):
            if key not in _files and (data := _read(path)).startswith(_MAGIC):
                _files[key] = data
    zoneinfo.reset_tzpath(to=())  # no file is looked for any more: `ZoneInfo` turns to the package at once
    zoneinfo._common.load_tzdata = _from_memory  # type: ignore[assignment]  # of a file it wants no more than this


def _package() -> list[str]:
    found = importlib.util.find_spec("tzdata")
    return [os.path.join(place, "zoneinfo") for place in (found and found.submodule_search_locations) or ()]  # noqa: PTH118


def _below(folder: str) -> Iterator[tuple[str, str]]:
    """The key and the path of every file; `posix` and `right` hold the same zones once more, counted otherwise."""
    for place, folders, names in os.walk(folder):
        inner = place[len(folder) :].lstrip("/")
        if not inner:
            folders[:] = [each for each in folders if each not in ("posix", "right")]
        for name in names:
            if name != "posixrules":
                yield f"{inner}/{name}" if inner else name, f"{place}/{name}"


def _read(path: str) -> bytes:
    # What `open` adds to these calls takes as long as they do.
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        return os.read(file, os.fstat(file).st_size)
    except OSError:
        return b""
    finally:
        os.close(file)


def _from_memory(key: str) -> io.BytesIO:
    if key not in _files:
        why = "" if _files else ": this machine has no time zones, pip install 'codemode[tz]' brings them"
        raise zoneinfo.ZoneInfoNotFoundError(f"No time zone found with key {key}{why}")
    return io.BytesIO(_files[key])


def available() -> set[str]:
    """The names of the zones read."""
    if not _files:
        preload()
    return set(_files)
