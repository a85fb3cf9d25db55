"""`codemode doctor`: what this machine offers, layer by layer, and whether untrusted code may run here."""

from __future__ import annotations

import logging
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from codemode.cli.app import App, command
from codemode.cli.failures import UNAVAILABLE, describe
from codemode.cli.output import emit, size
from codemode.cli.table import show
from codemode.counts import plural
from codemode.errors import IsolationMissing, WorkerUnavailable

if TYPE_CHECKING:
    from codemode.values import Layer


class Check(NamedTuple):
    """One thing looked at that is no layer of confinement."""

    name: str
    ok: bool
    found: str


@command("doctor", short_help="Say whether untrusted code may run here.")
def doctor(app: App) -> int:
    """Look at each layer of confinement, the libraries and the data directory.

    Exit code 0 when untrusted code may run here, 3 when not.
    """
    settings = app.resolved().settings
    layers, refused = _layers(settings)
    checks = [_python(), _library("apsw", "SQLite"), _library("sqlglot", "SQL parser"), _compiled_parser()]
    checks += [*_data_directory(Path(str(settings.data_dir))), _catalogue(settings)]
    reasons = _reasons(settings.isolation, layers, checks, refused)
    if app.as_json:
        result = {
            "untrusted_code_may_run": not reasons,
            "layers": layers,
            "checks": [check._asdict() for check in checks],
        }
        problem = describe(IsolationMissing("; ".join(reasons))) if reasons else None
        emit({"ok": not reasons, "result": result, "warnings": [], "error": problem})
    else:
        if layers:
            show(
                ["layer", "active", "required", "why"],
                [[layer.name, _yes(layer.active), _yes(layer.required), layer.why] for layer in layers],
            )
            click.echo()
        show(["check", "ok", "found"], [[check.name, _yes(check.ok), check.found] for check in checks])
        click.echo()
        click.echo(f"untrusted code may run here: {'yes' if not reasons else 'no, ' + '; '.join(reasons)}")
    return UNAVAILABLE if reasons else 0


def _layers(settings: Any) -> tuple[tuple[Layer, ...], str | None]:
    """The layers as a worker of these settings finds them, and why it refused to start where it did."""
    import tempfile

    import msgspec

    from codemode.catalog.opening import MEMORY
    from codemode.worker import Worker

    # A directory and a catalogue of its own: what is wrong with those of the settings is a finding, not a reason to
    # stop looking, and nothing is migrated by a look.
    settings = msgspec.structs.replace(settings, catalog=MEMORY)
    with tempfile.TemporaryDirectory(prefix="codemode-doctor-") as folder, _no_alarm():
        try:
            with Worker(folder, settings=settings) as worker:
                return worker.layers, None
        except (IsolationMissing, WorkerUnavailable) as error:
            refused = error.message
        relaxed = msgspec.structs.replace(settings, isolation="none")
        try:
            with Worker(folder, settings=relaxed) as worker:
                return worker.layers, refused
        except WorkerUnavailable:  # no process of the sandbox starts at all, confined or not
            return (), refused


@contextmanager
def _no_alarm() -> Iterator[None]:
    """Keep a worker that only looks from warning that snippets run unconfined: it runs none."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)


def _reasons(isolation: str, layers: tuple[Layer, ...], checks: list[Check], refused: str | None) -> list[str]:
    """Why untrusted code may not run here; nothing when it may."""
    reasons = [f"layer {layer.name} is missing: {layer.why}" for layer in layers if layer.required and not layer.active]
    if isolation != "required":
        reasons.append('isolation is set to "none"')
    if refused and not reasons:
        reasons.append(refused)
    return reasons + [f"{check.name}: {check.found}" for check in checks if not check.ok]


def _python() -> Check:
    version = (
        f"{platform.python_implementation()} {platform.python_version()} on {platform.system()} {platform.machine()}"
    )
    return Check("python", sys.version_info >= (3, 11), version)


def _library(name: str, meaning: str) -> Check:
    version = _version(name)
    return Check(
        name, version is not None, f"{meaning}, version {version}" if version else f"{meaning} is not installed"
    )


def _compiled_parser() -> Check:
    """Slow without, and right all the same: never a reason to stop."""
    version = _version("sqlglotc")
    found = f"SQL parser compiled, version {version}" if version else "not compiled: parsing is several times slower"
    return Check("sqlglotc", True, found)


def _version(name: str) -> str | None:
    from importlib import metadata

    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _data_directory(path: Path) -> list[Check]:
    existing = next(folder for folder in (path, *path.parents) if os.path.exists(folder))  # noqa: PTH110 - never raises
    writable = existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)
    free = shutil.disk_usage(existing).free
    state = "writable" if writable else "cannot be written"
    if existing != path:
        state = "will be made" if writable else f"cannot be made in {existing}"
    return [Check("data directory", writable, f"{path}: {state}"), Check("free space", free > 0, size(free))]


def _catalogue(settings: Any) -> Check:
    """Where the catalogue is, and whether it answers and has the form that this codemode needs."""
    from codemode.catalog.migrating import standing
    from codemode.catalog.opening import FILE, connect
    from codemode.errors import CodemodeError
    from codemode.session.files import check_name

    data_dir = Path(settings.data_dir)
    try:
        check_name(data_dir)
        if not settings.catalog and not (data_dir / FILE).exists():
            return Check("catalogue", True, f"{data_dir / FILE}: will be made")
        with closing(connect(settings.catalog, data_dir, settings.catalog_connections)) as store:
            found = standing(store)
            left = f", {plural(len(found.pending), 'migration')} pending" if found.pending else ""
            return Check("catalogue", True, f"{store.kind}, {store.where}: answers, form {found.form}{left}")
    except CodemodeError as error:
        return Check("catalogue", False, error.message)
    except OSError as error:
        return Check("catalogue", False, f"{data_dir / FILE}: {error.strerror}")


def _yes(value: bool) -> str:
    return "yes" if value else "no"
