"""The data directory of a worker, and the catalogue that its settings name."""

from __future__ import annotations

import logging
from pathlib import Path

from codemode.catalog.opening import FILE, open_catalogue
from codemode.catalog.store import Store
from codemode.session.files import check_name, storage_errors
from codemode.settings import Settings

_log = logging.getLogger("codemode")


def prepared(data_dir: str | Path) -> Path:
    """The data directory, made where it is not there, for this user alone; raises RequestInvalid, StorageFull."""
    path = Path(data_dir).expanduser().absolute()
    check_name(path)
    with storage_errors(path):
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        (path / "sessions").mkdir(mode=0o700, exist_ok=True)
    return path


def open_catalog(data_dir: Path, settings: Settings) -> Store:
    """The catalogue that the settings name, in the form that this codemode needs.

    Raises RequestInvalid, CatalogDamaged, CatalogForm, StorageFull, SessionNewer, WorkerUnavailable.
    """
    path = data_dir / FILE
    with storage_errors(data_dir):
        lost = not settings.catalog and not (path.exists() and path.stat().st_size) and any(data_dir.glob("sessions/*"))
    store = open_catalogue(settings.catalog, data_dir, settings.catalog_migrate, settings.catalog_connections)
    if lost:
        _log.warning("%s was missing or empty: sessions on disk are found again when asked for by their ids", path)
    return store
