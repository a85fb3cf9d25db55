"""Where a service keeps its files is for its operators, whose log has it: clients are told no path of the server."""

from __future__ import annotations

import re

from codemode.errors import BackupDamaged, CodemodeError, SessionError, StorageFull, WorkerError
from codemode.worker import Worker

_ABOUT_FILES = (SessionError, StorageFull, WorkerError, BackupDamaged)  # what a statement was is the client's own text
_kept: dict[str, tuple[re.Pattern[str], str]] = {}


def keep(worker: Worker) -> None:
    """Have `told` leave out where this worker keeps its sessions and its catalogue, from now on."""
    _keep(str(worker.data_dir), "DATA_DIR")
    if not worker.catalogue.is_near:
        _keep(worker.catalogue.where, "its server")


def _keep(place: str, name: str) -> None:
    _kept[place] = re.compile(rf"{re.escape(place)}(?![\w-])"), name  # /srv/data2 is not below /srv/data


def told(error: CodemodeError) -> tuple[str, str | None]:
    """The message and the hint of an error as a client is told them."""
    message, hint = error.message, error.hint
    if isinstance(error, _ABOUT_FILES):
        for place, name in tuple(_kept.values()):
            message, hint = place.sub(name, message), hint and place.sub(name, hint)
    return message, hint
