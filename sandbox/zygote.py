"""The warm parent of all children: imports what snippets may use, confines itself, then forks a child on request.

Two processes. The launcher is what the worker starts; it imports, enters the namespaces and forks the zygote, because
a new pid namespace begins with the next fork. Then it only waits: it is what the zygote's "dies with parent" hangs on,
as its own hangs on the worker's thread that started it. The zygote holds no secret, no database and no snippet.

Messages on the control socket (one JSON object each; both ends are ours):

    worker → launcher its settings
    worker → zygote   {"fork": [n, …]}   {"later": [n, …]}: when the worker has asked for nothing for a moment, or
                      in a "fork" after all   {"status": n}   and the end of the stream: everything ends
    zygote → worker   {"hello": …}   {"fatal": text}   {"child": n} with two descriptors, the worker's end of the
                      child's socket and a pidfd   {"no_child": n, "why": text}   {"status": n, "wait": …, …}
"""

from __future__ import annotations

import _socket
import contextlib
import gc
import importlib.util
import json
import math
import os
import resource
import select
import signal
import struct
import sys
import time
from collections import OrderedDict, deque
from pathlib import Path
from typing import Any, NoReturn

import msgspec

from sandbox import child
from sandbox.at_fork import without_threads
from sandbox.confine import Confinement, confine_launcher, confine_zygote, dies_with_parent
from sandbox.filling import fill_gaps
from sandbox.gathering import gather_code
from sandbox.kernel import call_process
from sandbox.limits import SandboxLimits
from sandbox.measure import measure

_DESCRIPTORS = 4096  # of the zygote: two for each child alive
_STATUSES_KEPT = 1024
_QUIET_SECONDS = 0.005  # since the last request: then the children that were asked for "later" are made
_ROUNDS = 8  # until the interpreter has adapted the code: while it does, it writes to it
_SLACK_BYTES = 8 * 1024 * 1024  # what the zygote still maps between measuring its address space and its first fork

# Not `json` and `socket` once it forks: each function and class that they lead through is a page more that the zygote
# copies anew after every fork.
_encode, _decode = msgspec.json.Encoder().encode, msgspec.json.Decoder().decode


def main(descriptor: int, worker: int, entry: str | None) -> NoReturn:
    """The launcher's and the zygote's whole life; called by the command line that the worker starts."""
    control = _socket.socket(fileno=descriptor)
    try:
        dies_with_parent()
        if os.getppid() != worker:
            os._exit(0)  # the worker died before the line above; nobody is left to tell
        _launch(control, entry)
    except Exception as error:  # the worker prints it: there is no other place to say why  # noqa: BLE001
        with contextlib.suppress(OSError):
            _send(control, {"fatal": f"{type(error).__name__}: {error}"})
    finally:
        os._exit(1)


def _send(control: _socket.socket, message: dict[str, Any], *descriptors: int) -> None:
    packed = struct.pack(f"={len(descriptors)}i", *descriptors)
    control.sendmsg([_encode(message)], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, packed)] if descriptors else [])


def _launch(control: _socket.socket, place: str | None) -> NoReturn:
    os.environ["TZ"] = "UTC"  # a child cannot read the host's time zone, so nobody gets it
    time.tzset()
    sys.modules["ssl"] = None  # type: ignore[assignment]  # asyncio does without, as everybody in here will
    without_threads()
    gc.disable()  # as it stays in here: while modules load there is no garbage
    entry = _load_entry(place)
    entry.preload()
    settings = json.loads(control.recv(65536) or "null")  # not before: the worker may still find out what they are
    if settings is None:
        os._exit(0)
    lasts = not settings["once"]
    make_ready(entry, lasts=lasts)
    _quieten()
    confinement = Confinement(
        limits=SandboxLimits(**settings["limits"]),
        without=frozenset(settings["without"]),
        enforced=settings["enforced"],
    )
    confine_launcher(confinement)
    freeze(lasts=lasts)  # before the zygote is there: counting would copy 10 MB into it
    pid = os.fork()
    if pid:
        control.close()  # so that the worker sees the end of the stream when the zygote is gone
        _, status = os.waitpid(pid, 0)
        os._exit(os.waitstatus_to_exitcode(status) & 0xFF)
    Zygote(control, confinement, entry).live()


def _load_entry(path: str | None) -> child.Entry:
    """What a child does with its request: run a snippet, or for tests of the confinement what a file's ENTRY says."""
    if path is None:
        from sandbox import snippet

        return snippet.ENTRY
    spec = importlib.util.spec_from_file_location("entry", path)
    if spec is None or spec.loader is None:
        raise OSError(f"{path} cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    entry: child.Entry = module.ENTRY
    return entry


def make_ready(entry: child.Entry, *, lasts: bool = True) -> None:
    """Make here, for all children, what is made or adapted at first use; the entry has loaded what they need.

    Where it `lasts`, so that a child copies few pages: for a single run that takes longer than it saves.
    """
    if lasts:
        gc.collect()
        fill_gaps()  # into them what is gathered would be scattered again
        gather_code(entry.warm)
    for step in entry.warm * (_ROUNDS if lasts else 1):
        step()
    entry.stock()


def freeze(*, lasts: bool = True) -> None:
    """From here on children share these pages until they write to them: nothing may move or be counted any more."""
    if lasts:
        gc.collect()
        fill_gaps()
    gc.freeze()
    gc.disable()


def _quieten() -> None:
    """Let go of the worker's error pipe, and of being spared when memory runs out."""
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    os.close(null)
    with contextlib.suppress(OSError):
        # When the host runs out of memory, a child is the right one to go, and this is inherited.
        Path("/proc/self/oom_score_adj").write_text("800")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(_DESCRIPTORS, hard), hard))


class Zygote:
    """Forks children, tells the worker of each, and reaps them. One thread, no state that a child could use."""

    def __init__(self, control: _socket.socket, confinement: Confinement, entry: child.Entry) -> None:
        self._control = control
        self._confinement = confinement
        self._entry = entry
        self._poll = select.poll()
        self._children: dict[int, tuple[int, int]] = {}  # pidfd -> number, pid
        self._statuses: OrderedDict[int, dict[str, Any]] = OrderedDict()  # of the dead, until asked for
        self._asked: set[int] = set()
        self._later: deque[int] = deque()
        self._newest = 0  # of the children that were asked for, now or later
        self._quiet_at = 0.0

    def live(self) -> NoReturn:
        """Confine this process, then serve until the worker is gone."""
        try:
            self._confine()
            self._greet()
            self._serve()
        except Exception as error:  # noqa: BLE001 - as in `main`: the worker prints it
            with contextlib.suppress(OSError):
                _send(self._control, {"fatal": f"{type(error).__name__}: {error}"})
        finally:
            os._exit(1)

    def _confine(self) -> None:
        dies_with_parent()
        call_process(b"codemode-zygote")
        confinement = self._confinement
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        confinement.baseline_bytes = pages * resource.getpagesize() + _SLACK_BYTES
        confinement.zygote_pid = os.getpid()
        confine_zygote(confinement)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        gc.freeze()  # the little that came since

    def _greet(self) -> None:
        layers = self._measured()
        _send(self._control, {"hello": {"layers": layers}}, os.pidfd_open(os.getpid()))

    def _measured(self) -> list[Any]:
        """The layers as they show in a child of their own, forked for nothing else."""
        ours, theirs = _socket.socketpair()
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                ours.sendall(json.dumps(measure(self._confinement)).encode())
                code = 0
            finally:
                os._exit(code)
        ours.close()
        answer = b"".join(iter(lambda: theirs.recv(65536), b""))
        theirs.close()
        _, status = os.waitpid(pid, 0)
        if not answer:
            raise OSError(f"the first child ended with {os.waitstatus_to_exitcode(status)} while confining itself")
        layers: list[Any] = json.loads(answer)
        return layers

    def _serve(self) -> NoReturn:
        self._poll.register(self._control, select.POLLIN)
        while True:
            for descriptor, _ in self._poll.poll(self._patience_ms()):
                if descriptor in self._children:
                    self._reap(descriptor)
                else:
                    self._answer()
            if self._later and time.monotonic() >= self._quiet_at:
                self._fork(self._later.popleft(), hurried=False)

    def _patience_ms(self) -> int | None:
        if not self._later:
            return None
        return max(0, math.ceil((self._quiet_at - time.monotonic()) * 1000))

    def _answer(self) -> None:
        data = self._control.recv(4096)
        if not data:
            os._exit(0)  # the worker is gone; the kernel ends the children with this process
        message = _decode(data)
        self._quiet_at = time.monotonic() + _QUIET_SECONDS
        if "later" in message:
            self._later.extend(message["later"])
            self._newest = max(self._newest, *message["later"])
        elif "fork" in message:
            self._fork_now(message["fork"])
        else:
            self._asked.add(message["status"])
            self._tell(message["status"])

    def _fork_now(self, numbers: list[int]) -> None:
        for number in numbers:
            if number in self._later:
                self._later.remove(number)
            elif number <= self._newest:
                continue  # it was made when it was quiet, and the worker had not seen it yet
            self._newest = max(self._newest, number)
            self._fork(number, hurried=True)

    def _fork(self, number: int, *, hurried: bool) -> None:
        try:
            ours, theirs = _socket.socketpair()
        except OSError as error:
            _send(self._control, {"no_child": number, "why": str(error)})
            return
        try:
            try:
                pid = os.fork()
            except OSError as error:
                _send(self._control, {"no_child": number, "why": f"fork: {error}"})
                return
            if pid == 0:
                self._become_child(ours, hurried=hurried)
            pidfd = os.pidfd_open(pid)
            self._children[pidfd] = (number, pid)
            self._poll.register(pidfd, select.POLLIN)
            _send(self._control, {"child": number}, theirs.fileno(), pidfd)
        finally:
            ours.close()
            theirs.close()

    def _become_child(self, connection: _socket.socket, *, hurried: bool) -> NoReturn:
        try:
            kept = connection.fileno()
            # Everything but the one socket: the control socket, other children's pidfds, the null device.
            os.closerange(0, kept)
            os.closerange(kept + 1, _DESCRIPTORS)
            child.live(connection, self._confinement, self._entry, hurried=hurried)
        finally:
            # Never back into the zygote's loop, whatever happened above.
            os._exit(70)

    def _reap(self, pidfd: int) -> None:
        number, pid = self._children.pop(pidfd)
        self._poll.unregister(pidfd)
        os.close(pidfd)
        _, status, usage = os.wait4(pid, 0)
        self._statuses[number] = {
            "status": number,
            "wait": os.waitstatus_to_exitcode(status),
            "cpu": usage.ru_utime + usage.ru_stime,
            "rss": usage.ru_maxrss * 1024,
        }
        if len(self._statuses) > _STATUSES_KEPT:
            self._asked.discard(self._statuses.popitem(last=False)[0])
        self._tell(number)

    def _tell(self, number: int) -> None:
        # Only who asks is answered: most children are killed by the worker, which has no question left then, and a
        # message for each would wake one of its threads for nothing.
        if number in self._asked and number in self._statuses:
            self._asked.discard(number)
            _send(self._control, self._statuses.pop(number))
