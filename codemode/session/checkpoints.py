"""The checkpoints of one session: named copies of its data, made and put back by whoever has its turn.

    DATA_DIR/sessions/<hash>/checkpoints/<name in hexadecimal>.db

A name never is a path: it is checked, and written in hexadecimal. A copy is made under another name and renamed, so
there is a whole checkpoint or none.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from codemode.asked import CHECKPOINT, checkpoint_name, rows_sampled
from codemode.counts import plural
from codemode.database import copies
from codemode.database.clock import iso
from codemode.errors import CheckpointExists, CheckpointLimit, NoSuchCheckpoint
from codemode.limits import Limits
from codemode.loading import loading_late
from codemode.session.files import SessionFiles, storage_errors
from codemode.values import Checkpoint, Differences


class Checkpoints:
    """The checkpoints below one session's directory."""

    def __init__(self, files: SessionFiles, limits: Limits) -> None:
        self._files, self._limits = files, limits

    def all(self) -> list[Checkpoint]:
        """Every checkpoint, the oldest first."""
        found = []
        with storage_errors(self._files.checkpoints):
            for path in filter(_is_checkpoint, self._files.checkpoints.glob("*.db")):
                with suppress(FileNotFoundError):  # deleted a moment ago: listing waits for nobody
                    found.append((path.stat(), path))
        found.sort(key=lambda pair: (pair[0].st_mtime_ns, pair[1].name))
        return [
            Checkpoint(name=_name(path), created_at=iso(stat.st_mtime_ns // 1_000_000), size_bytes=stat.st_size)
            for stat, path in found
        ]

    def path(self, name: str) -> Path:
        """The file of the checkpoint `name`; raises RequestInvalid and NoSuchCheckpoint."""
        path = self._path(name)
        if not path.exists():
            names = [checkpoint.name for checkpoint in self.all()]
            raise NoSuchCheckpoint(
                f"there is no checkpoint {name}",
                hint="make one with checkpoint(name)" if not names else None,
                did_you_mean=difflib.get_close_matches(name, names),
                available=names,
            )
        return path

    def get(self, name: str) -> Checkpoint:
        """The checkpoint `name`; raises RequestInvalid and NoSuchCheckpoint."""
        self.path(name)
        return next(checkpoint for checkpoint in self.all() if checkpoint.name == name)

    def take(self, name: str, check: Callable[[], None], *, replace: bool = False) -> Checkpoint:
        """Copy the committed state of the session; raises CheckpointExists, CheckpointLimit and StorageFull."""
        path = self._path(name)
        if path.exists() and not replace:
            hint = "choose another name, or replace it on purpose (replace=True, --replace)"
            raise CheckpointExists(f"there is a checkpoint {name} already", hint=hint)
        self._expect_room(name)
        with self._files.unfinished() as fresh:
            copies.take(self._files.database, fresh, check)
            with storage_errors(path):
                fresh.rename(path)
        return self.get(name)

    def delete(self, name: str) -> None:
        """Delete the checkpoint `name`; raises NoSuchCheckpoint."""
        with storage_errors(self._files.checkpoints):
            self.path(name).unlink(missing_ok=True)

    def diff(self, before: str | None, after: str | None, is_over: Callable[[], bool], sample: int) -> Differences:
        """What leads from one state to the other; None is what is committed now. Raises NoSuchCheckpoint."""
        with loading_late():
            from codemode.database.diff import Side, compare  # most processes ask for none

        sample = rows_sampled(sample)
        with copies.explained("what is to be compared"):  # and no path: whoever asks may be far away
            one, other = (
                Side(self._files.database, frozen=False) if name is None else Side(self.path(name), frozen=True)
                for name in (before, after)
            )
            return compare(one, other, self._limits, is_over, sample)

    def _path(self, name: str) -> Path:
        return self._files.checkpoints / file_name(name)

    def _expect_room(self, name: str) -> None:
        limits, others = self._limits, [each for each in self.all() if each.name != name]
        hint = "delete one that is not needed: " + ", ".join(each.name for each in others[:5])
        if len(others) >= limits.checkpoints:
            raise CheckpointLimit(
                f"the session has {plural(len(others), 'checkpoint')}, as many as it may have", hint=hint
            )
        wanted, held = copies.live_bytes(self._files.database), sum(each.size_bytes for each in others)
        if wanted + held > limits.checkpoint_bytes:
            raise CheckpointLimit(
                f"a checkpoint of {wanted:,} bytes beside others of {held:,} bytes is more than the"
                f" {limits.checkpoint_bytes:,} bytes of limit checkpoint_bytes",
                hint=hint if others else "compact the session, or raise the limit",
            )


def file_name(name: str) -> str:
    """The name of the file of the checkpoint `name`; raises RequestInvalid."""
    return f"{checkpoint_name(name).encode().hex()}.db"


def _is_checkpoint(path: Path) -> bool:
    try:
        return CHECKPOINT.fullmatch(bytes.fromhex(path.stem).decode()) is not None
    except ValueError:
        return False


def _name(path: Path) -> str:
    return bytes.fromhex(path.stem).decode()
