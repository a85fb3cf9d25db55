"""What the operating system shows of a worker and of a folder beside it: taken before and after, it must be equal."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

_LISTENING = "0A"  # of a TCP socket, in /proc/net/tcp
_CHILD = "codemode-child"
_LASTING = 2  # the launcher and the zygote


@dataclass(frozen=True)
class View:
    """One look. `processes` are those below this one that last: name and start time; children come and go."""

    files: tuple[tuple[str, int, bytes], ...]
    environment: tuple[tuple[str, str], ...]
    processes: tuple[tuple[int, str, str], ...]
    listening: tuple[str, ...]
    connections: int

    def differences(self, later: View) -> list[str]:
        """What changed until `later`, in words."""
        return [
            f"{field.name}: {getattr(self, field.name)!r:.300} became {getattr(later, field.name)!r:.300}"
            for field in fields(self)
            if getattr(self, field.name) != getattr(later, field.name)
        ]


class Outside:
    """A folder with a canary and three sockets that nobody should connect to; `look` sees them and the processes."""

    def __init__(self, folder: Path, children: int, settled_seconds: float = 2.0) -> None:
        self.folder = folder
        self.children = children
        self._settled_seconds = settled_seconds  # at most, until the dead are gone and others in their place
        (folder / "canary").write_text("untouched")
        self.listeners = [socket.create_server(("127.0.0.1", 0))]
        for address in (str(folder / "unix"), f"\0escape-{os.getpid()}-{id(self)}"):
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(address)
            listener.listen()
            self.listeners.append(listener)
        for listener in self.listeners:
            listener.setblocking(False)
        self._connections = 0

    @property
    def port(self) -> int:
        """Of the TCP socket."""
        port: int = self.listeners[0].getsockname()[1]
        return port

    def look(self, *, settled: bool = True) -> View:
        """The view as soon as the dead are gone: a child is killed and replaced while the next thing happens."""
        end = time.monotonic() + self._settled_seconds * settled
        while True:
            processes = sorted(_below(os.getpid()))
            spare = [each for each in processes if each[1] == _CHILD]
            lasting = [each for each in processes if each[1] != _CHILD] + spare[self.children :]
            if (len(spare) == self.children and len(lasting) == _LASTING) or time.monotonic() > end:
                break
            time.sleep(0.005)
        return View(
            files=tuple(
                (str(path), path.stat().st_mode, path.read_bytes() if path.is_file() else b"")
                for path in sorted(self.folder.rglob("*"))
            ),
            environment=tuple(sorted(os.environ.items())),
            processes=tuple(lasting),
            listening=tuple(sorted(_listening([pid for pid, _, _ in processes]))),
            connections=self._accepted(),
        )

    def close(self) -> None:
        """Close the sockets."""
        for listener in self.listeners:
            listener.close()

    def _accepted(self) -> int:
        for listener in self.listeners:
            try:
                while True:
                    listener.accept()[0].close()
                    self._connections += 1
            except BlockingIOError:
                continue
        return self._connections


def _below(root: int) -> Iterator[tuple[int, str, str]]:
    """Living processes below one: id, name, start time."""
    parents: dict[int, tuple[int, str, str]] = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            name, _, rest = (folder / "stat").read_text().partition("(")[2].rpartition(")")
        except OSError:
            continue
        state, parent, *others = rest.split()
        if state not in "ZX":
            parents[int(folder.name)] = (int(parent), name, others[17])
    for pid, (parent, name, started) in parents.items():
        while parent in parents and parent != root:
            parent = parents[parent][0]
        if parent == root:
            yield pid, name, started


def _listening(pids: list[int]) -> Iterator[str]:
    """Listening TCP sockets of these processes, by inode."""
    for pid in pids:
        try:
            held = {str(each.readlink()) for each in Path(f"/proc/{pid}/fd").iterdir()}
            lines = Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            words = line.split()
            if words[3] == _LISTENING and f"socket:[{words[9]}]" in held:
                yield f"{pid}: {words[1]}"
