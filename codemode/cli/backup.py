"""`codemode backup`: sessions into one file, while others work in them; and the backups that there are."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from codemode.cli.app import App, command
from codemode.cli.failures import UNAVAILABLE
from codemode.cli.output import note, printable, relative, size, warn
from codemode.cli.progress import bar
from codemode.cli.table import show
from codemode.counts import plural
from codemode.errors import CodemodeError, RequestInvalid

if TYPE_CHECKING:
    from codemode.values import Backup


class _Backup(click.Group):
    """A group that tells who gives it a file where that goes."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """As click does."""
        if args and args[0] not in self.commands:
            ctx.fail(f"The file goes after --to: codemode backup --to {args[0]}")
        return super().resolve_command(ctx, args)


@command(
    "backup", short_help="Write sessions to one file, while they are in use.",
    cls=_Backup, invoke_without_command=True, subcommand_metavar="[ls]",
)  # fmt: skip
@click.option("--to", "target", metavar="FILE|DIR", help="The new file, or where it goes. Default: setting backup.to.")
@click.option("-s", "--session", "session_id", metavar="SESSION", help="This session alone.")
@click.option("--tenant", metavar="TENANT", help="The sessions of this tenant alone.")
def backup(app: App, target: str | None, session_id: str | None, tenant: str | None) -> int | None:
    """Write everything, a tenant, or one session to one file, and read it back before it gets its name.

    Nobody waits: each session is in it as of one moment between two executions. Sessions that cannot be read are left
    out, told of, and make the exit code 3.
    """
    if click.get_current_context().invoked_subcommand is not None:
        return None
    with app.worker() as worker:
        path = _target(target, worker.data_dir, app, session_id, tenant)
        with bar(path.name, quiet=app.as_json) as progress:
            made = worker.backup(path, session_id, tenant=tenant, progress=progress)
    if app.as_json:
        app.answer(made, warnings=made.notes)
    else:
        tell(made)
    return None if made.complete else UNAVAILABLE


def tell(made: Backup) -> None:
    """What a backup holds, and what is missing in it."""
    for each in made.left_out:
        warn(f"not in the backup: session {each.id} of tenant {each.tenant}: {each.message} [{each.code}]")
    for remark in made.notes:
        note(remark)
    data = size(made.data_bytes)
    click.echo(
        f"{printable(made.file)}: {plural(made.sessions, 'session')}, {data} in {size(made.size_bytes)}, verified"
    )


def _target(given: str | None, data_dir: Path, app: App, session_id: str | None, tenant: str | None) -> Path:
    from codemode.session.files import storage_errors
    from codemode.session.schedule import directory_for

    if given is not None and not (given.endswith("/") or Path(given).is_dir()):
        return Path(given)
    directory = directory_for(data_dir, app.resolved().settings.backup) if given is None else Path(given)
    with storage_errors(directory):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    what = f"session-{session_id}" if session_id else f"tenant-{tenant}" if tenant else "everything"
    return directory / f"codemode-{what}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.zip"


@command("ls", short_help="List the backups, the newest first.")
@click.argument("directory", metavar="[DIR]", required=False)
@click.option("--verify", is_flag=True, help="Read each of them through, and compare every byte.")
def ls(app: App, directory: str | None, verify: bool) -> int | None:
    """List the backups in DIR, or where the settings have them go, the newest first."""
    from codemode.session.schedule import directory_for, standing

    if directory is not None and not Path(directory).is_dir():
        what = "no directory" if Path(directory).exists() else "not there"
        raise RequestInvalid(f"{directory} is {what}", hint="one backup alone: `codemode restore FILE --verify`")
    if directory is None:
        app.check_data_dir()
    settings = app.resolved().settings
    data_dir = Path(settings.data_dir or "")
    place = Path(directory) if directory else directory_for(data_dir, settings.backup)
    found = [_look(path, verify) for path in sorted(place.glob("*.zip"))]
    found.sort(key=lambda pair: pair[0].created_at if pair[0] else "", reverse=True)
    good = [made for made, _ in found if made is not None]
    bad = [problem for _, problem in found if problem is not None]
    known = standing(data_dir, settings.backup)
    if app.as_json:
        app.answer({"directory": str(place), "backups": good, "damaged": bad, **known})
        return UNAVAILABLE if bad else None
    if good:
        show(["backup", "made", "sessions", "size", "state"], [_row(made, verify) for made in good])
        note(f"in {place}")
    elif not bad:
        click.echo(f"no backups in {printable(str(place))}", err=True)
    for problem in bad:
        warn(problem)
    if known.get("backup_error"):
        warn(f"the newest scheduled backup failed: {known['backup_error']}")
    return UNAVAILABLE if bad else None


def _look(path: Path, verify: bool) -> tuple[Backup | None, str | None]:
    from codemode.session.archive import ArchiveReader, begins_as_backup
    from codemode.session.backups import described

    known = None
    try:
        with ArchiveReader(path) as reader:
            known = described(path, reader.manifest, path.stat().st_size)
            if verify:
                reader.verify()
            return known, None
    except CodemodeError as error:
        if known is None and not path.name.startswith("codemode-") and not begins_as_backup(path):  # somebody else's
            return None, None
        return None, f"{error.message} [{error.code}]"


def _row(made: Backup, verified: bool) -> list[str]:
    left = sum(each.code != "session.not_found" for each in made.left_out)
    state = f"{left} left out" if left else "verified" if verified else ""
    return [Path(made.file).name, relative(made.created_at), str(made.sessions), size(made.size_bytes), state]


assert isinstance(backup, click.Group)
backup.add_command(ls)
