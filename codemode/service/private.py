"""Where a service keeps its files is for its operators, whose log has it: clients are told no path of the server."""

from __future__ import annotations

from codemode.errors import BackupDamaged, CodemodeError, SessionError, StorageFull, WorkerError
from codemode.worker import Worker

_ABOUT_FILES = (SessionError, StorageFull, WorkerError, BackupDamaged)  # what a statement was is the client's own text
_kept: dict[str, str] = {}


def keep(worker: Worker) -> None:
    """Have `told` leave out where this worker keeps its sessions and its catalogue, from now on."""
    _kept[f"{worker.data_dir}/"] = "DATA_DIR/"
    _kept[str(worker.data_dir)] = "DATA_DIR"
    if not worker.catalogue.is_near:
        _kept[worker.catalogue.where] = "its server"


def told(error: CodemodeError) -> tuple[str, str | None]:
    """The message and the hint of an error as a client is told them."""
    message, hint = error.message, error.hint
    if isinstance(error, _ABOUT_FILES):
        for path, name in tuple(_kept.items()):
            message, hint = message.replace(path, name), hint and hint.replace(path, name)
    return message, hint
