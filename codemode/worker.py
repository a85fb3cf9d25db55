"""The worker: sessions, a sandbox and the engine's own files, joined. The only file that knows all layers."""

from __future__ import annotations

import logging
import shutil
import tempfile
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import msgspec

from codemode.catalog.audit import Audit
from codemode.catalog.background import BackgroundExecutions
from codemode.catalog.opening import FILE, open_catalogue
from codemode.catalog.participants import Participants
from codemode.catalog.rates import Rates
from codemode.catalog.retention import Retention
from codemode.catalog.seal import Seal
from codemode.catalog.sessions import SessionRecord, Sessions
from codemode.catalog.store import Store
from codemode.catalog.tenants import Tenants
from codemode.catalog.tokens import Token, Tokens
from codemode.database.clock import iso, now_ms, sure_ms
from codemode.errors import IsolationMissing, RequestInvalid, SessionNotFound, WorkerError
from codemode.limits import Limits
from codemode.session.confining import begun
from codemode.session.files import SessionFiles, storage_errors
from codemode.session.ids import new_session_id, parse_session_id
from codemode.session.opened import LogBounds
from codemode.session.registry import Registry, Storage
from codemode.session.retention import Sweeper
from codemode.session.session import Session
from codemode.session.slots import Key
from codemode.settings import Settings
from codemode.values import Backup, Day, Holdings, Layer, Restored, SessionInfo, Stats, Totals
from codemode.values.records import Due, Statistics
from sandbox import Sandbox, SandboxUnavailable
from sandbox.helpers.rows import Rows

if TYPE_CHECKING:  # loaded by the methods that need it: most processes run snippets and nothing else
    from codemode.catalog.tenant import TenantRecords
    from codemode.catalog.views import View
    from codemode.session.backups import Progress
    from codemode.session.restoring import Existing

_log = logging.getLogger("codemode")
TENANT = "local"
_ALL = 2**62  # rows of a page: no bound
_DAY_MS = 86_400_000
_REMOVE_SECONDS = 5.0  # how long removing or pinning waits for a running execution


class Worker:
    """Hosts sessions below `data_dir`, or in a temporary directory that goes with the worker.

    `limits` bound every session; `settings` carry the rest. Use it as a context manager, or call `close`. `sandbox` is
    one that was begun for this worker (`codemode.session.confining`), which closes it.
    Raises RequestInvalid for wrong settings, StorageFull when the data directory cannot be used.
    """

    def __init__(
        self,
        data_dir: str | Path | None = None,
        limits: Limits | None = None,
        settings: Settings | None = None,
        *,
        sandbox: Sandbox | None = None,
    ) -> None:
        self.settings = settings or Settings()
        self.limits = limits or self.settings.limits
        self._temporary = data_dir is None and self.settings.data_dir is None
        self.data_dir = self._directory(data_dir or self.settings.data_dir)
        self._catalog = open_catalog(self.data_dir, self.settings)
        storage = Storage(
            data_dir=self.data_dir,
            limits=self.limits,
            log=LogBounds(self.settings.log_entries, self.settings.log_bytes, self.settings.slow_statement_ms),
            record_ms=self.settings.record_days * _DAY_MS,
        )
        self.registry = Registry(storage, Sessions(self._catalog))
        self.tokens, self.audit = Tokens(self._catalog), Audit(self._catalog)
        self.tenants, self.rates = Tenants(self._catalog), Rates(self._catalog)
        self.participants = Participants(self._catalog)
        self.background = BackgroundExecutions(self._catalog)
        self._seal = Seal.of_file(self.settings.secret_keys_file)
        # Weakly: the sweeper's thread has the registry, and a worker that nobody has any more must be collected.
        forget = weakref.WeakMethod(self._forget_variables)
        self.registry.on_gone = lambda key: (found := forget()) and found(key)
        self._sweep = _sweeping(self.registry, self.audit, self.settings)
        self._sweeper = Sweeper(self._sweep, self.settings.sweep_seconds)
        self._begun = sandbox
        self._sandbox: Sandbox | None = None
        self._lock = threading.Lock()
        self._closed = False

    def _directory(self, data_dir: str | Path | None) -> Path:
        if data_dir is None:
            made = Path(tempfile.mkdtemp(prefix="codemode-"))
            weakref.finalize(self, shutil.rmtree, made, ignore_errors=True)
            return made
        return prepared(data_dir)

    @property
    def catalogue(self) -> Store:
        """Where tenants, tokens, users and what is said in sessions are kept."""
        return self._catalog

    @property
    def sandbox(self) -> Sandbox:
        """What runs snippets; started at first use, since looking at sessions needs none.

        Raises IsolationMissing on a host that cannot confine them.
        """
        with self._lock:
            if self._closed:
                raise WorkerError("this worker is closed")
            if self._sandbox is None:
                self._sandbox = self._started()
                _log_isolation(self._sandbox, self.settings.isolation)
            return self._sandbox

    @property
    def started_sandbox(self) -> Sandbox | None:
        """The same where it runs already; never waits, so an event loop may ask."""
        return self._sandbox

    def _started(self) -> Sandbox:
        sandbox, self._begun = self._begun or begun(self.settings, self.limits), None
        try:
            sandbox.wait()
        except SandboxUnavailable as error:
            raise IsolationMissing(str(error), hint="`codemode doctor` says which layer is missing") from None
        return sandbox

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Each layer of confinement: active or not, and why."""
        return tuple(
            Layer(name=layer.name, active=layer.active, required=layer.required, why=layer.why)
            for layer in self.sandbox.layers
        )

    @property
    def isolation(self) -> tuple[str, ...]:
        """The names of the layers that are active."""
        return self.sandbox.isolation

    def session(
        self,
        session_id: str | None = None,
        *,
        limits: Limits | None = None,
        renew: bool = False,
        create: bool = True,
        stateful: bool | None = None,
        tenant: str = TENANT,
        owner: str | None = None,
    ) -> Session:
        """The session of this id, made on first use; without an id a new one with a minted id.

        `limits` lower this session's own. `renew` makes an expired (or damaged) session anew. `stateful` says whether
        its variables stay between executions, for good; None leaves that as it is. `owner` is the user of the tenant
        whom a session that is made now belongs to. Raises RequestInvalid for a bad id, SessionExpired, and
        SessionNotFound where `create` is False.
        """
        key = (tenant, new_session_id() if session_id is None else parse_session_id(session_id))
        record = self.registry.ensure(key, create=create, renew=renew, limits=limits, owner=owner)
        if stateful is not None and stateful != record.stateful:
            self.registry.catalog.set_stateful(*key, stateful)
        return Session(self, tenant, record.id, self.registry.limits(record))

    def known_session(self, session_id: str, tenant: str = TENANT) -> Session | None:
        """The session of this id where there is one that is not over; waits for nothing."""
        record = self.registry.catalog.get(tenant, session_id)
        if record is None or record.is_over(sure_ms()):
            return None
        return Session(self, tenant, record.id, self.registry.limits(record))

    def sessions(self, tenant: str = TENANT) -> list[SessionInfo]:
        """Every session, latest use first; expired ones too, as long as their ids are remembered."""
        return [self._info(record) for record in self.registry.catalog.all(tenant)]

    def session_page(
        self, tenant: str = TENANT, *, user: str | None = None, after: str | None = None, limit: int = 100
    ) -> tuple[list[SessionInfo], str | None]:
        """At most `limit` sessions, latest use first, all or a user's; then the `after` of the next page."""
        found = self.registry.catalog.page(tenant, user, _position(after), limit + 1)
        more = f"{found[limit - 1].last_activity}~{found[limit - 1].id}" if len(found) > limit else None
        return [self._info(record) for record in found[:limit]], more

    def info(self, session_id: str, tenant: str = TENANT) -> SessionInfo:
        """One session; raises SessionNotFound."""
        record = self.registry.catalog.get(tenant, parse_session_id(session_id))
        if record is None:
            raise SessionNotFound(
                f"there is no session {session_id}", hint="`codemode sessions ls` lists those there are"
            )
        return self._info(record)

    def of(self, tenant: str = TENANT) -> TenantRecords:
        """Everything that the catalogue holds of a tenant: its users, its workspaces, what is said in its sessions."""
        from codemode.catalog.tenant import TenantRecords

        return TenantRecords(self._catalog, tenant, self._seal)

    def create_token(
        self,
        tenant: str = TENANT,
        *,
        name: str = "",
        scopes: tuple[str, ...] = ("read", "execute"),
        user: str | None = None,
        expires_at: int | None = None,
    ) -> tuple[str, Token]:
        """A new token of the service for `tenant`, made if it is new: the secret, told only now, and its record.

        `expires_at` is in milliseconds since 1970, UTC. Raises RequestInvalid.
        """
        now = now_ms()
        self.tenants.make(tenant, now)
        return self.tokens.create(tenant, name=name, scopes=scopes, user=user, now=now, expires_at=expires_at)

    def remove(self, session_id: str, tenant: str = TENANT) -> None:
        """Delete a session with everything in it; raises SessionNotFound, SessionBusy."""
        self.registry.remove((tenant, parse_session_id(session_id)), _REMOVE_SECONDS)

    def _forget_variables(self, key: Key) -> None:
        """The session's data is gone, and what a kept child remembers of it goes too."""
        if self._sandbox is not None:
            self._sandbox.forget(lambda variables: variables[0] == key)

    def pin(self, session_id: str, pinned: bool = True, tenant: str = TENANT) -> None:
        """Keep a session from expiring, or let it expire again; raises SessionNotFound, SessionExpired."""
        record = self.registry.ensure((tenant, parse_session_id(session_id)), create=False, renew=False, limits=None)
        self.registry.catalog.pin(record.tenant, record.id, pinned, now_ms())

    def sweep(self, tenant: str | None = None) -> list[str]:
        """Sweep now instead of later; the ids of the sessions that expired, of a tenant's alone where one is named."""
        return self._sweep() if tenant is None else self.registry.sweep(tenant)

    def due(self) -> Due:
        """What a sweep would do now, of all tenants."""
        now, days = sure_ms(), self.settings.audit_days
        forgotten = now - self.registry.storage.record_ms
        rows = {"records of expired sessions": self.registry.catalog.count_expired(forgotten)}
        if days:
            rows["lines of the audit log"] = self.audit.count(now - days * _DAY_MS)
        over = tuple(record.id for record in self.registry.catalog.over(now))
        return Due(sessions=over, rows=rows | Retention(self._catalog).due(now))

    def statistics(self, tenant: str = TENANT) -> Statistics:
        """How many there are of what, now: other workers' last executions may be missing for seconds."""
        self.registry.tell_uses()
        return self.of(tenant).statistics.get()

    def metrics(self, tenant: str = TENANT) -> dict[str, Any]:
        """The figures of this worker: `sessions`, `pinned`, `expired`, `size_bytes`, `free_bytes`, and `usage`.

        Where backups are scheduled, or were, `last_backup` is the time of the newest, and `backup_error` why the
        newest attempt failed, if it did.
        `usage` is what ran in this worker since it started, `warnings` by kind among it. What a tenant's sessions cost
        over their lives: `usage_by_day`.
        """
        from codemode.session.schedule import standing

        found = self.sessions(tenant)
        active = [info for info in found if info.state == "active"]
        return {
            "data_dir": str(self.data_dir),
            "sessions": len(active),
            "pinned": sum(info.pinned for info in active),
            "expired": len(found) - len(active),
            "size_bytes": sum(info.size_bytes for info in found),
            "free_bytes": shutil.disk_usage(self.data_dir).free,
            **standing(self.data_dir, self.settings.backup),
            "usage": msgspec.to_builtins(self.registry.account.totals),
        }

    def stats(self, tenant: str = TENANT, *, user: str | None = None) -> Stats:
        """What the tenant's sessions, or those that `user` takes part in, hold and cost; nothing of anybody else's.

        Reads the log of every such session: about 0.3 ms each.
        """
        found = [self._info(record) for record in self.registry.catalog.page(tenant, user, None, _ALL)]
        active = [info for info in found if info.state == "active"]
        usage = Totals()
        for day in self.usage_by_day(tenant, user=user):
            usage = usage.plus(day)
        return Stats(
            sessions=len(active),
            pinned=sum(info.pinned for info in active),
            expired=len(found) - len(active),
            size_bytes=sum(info.size_bytes for info in found),
            usage=usage,
        )

    def holdings(self) -> Holdings:
        """What this worker holds now, all tenants together; cheap, and starts nothing."""
        from codemode.session.schedule import last_scheduled, standing

        active, pinned, expired = self.registry.catalog.counts(sure_ms())
        sandbox = self._sandbox
        return Holdings(
            sessions={"active": active, "pinned": pinned, "expired": expired},
            open=len(self.registry.slots),
            children={"ready": 0, "busy": 0, "kept": 0} if sandbox is None else sandbox.children,
            layers={} if sandbox is None else {layer.name: layer.active for layer in sandbox.layers},
            free_bytes=shutil.disk_usage(self.data_dir).free,
            last_backup=(last_scheduled(self.data_dir, self.settings.backup) or 0) / 1000,
            backup_failing=bool(standing(self.data_dir, self.settings.backup).get("backup_error")),
        )

    def usage_by_day(self, tenant: str = TENANT, *, user: str | None = None) -> list[Day]:
        """What the tenant's sessions cost together, by day (UTC), oldest first; those that are gone among them.

        With a `user` only what those cost that he takes part in, and that are there. Reads the log of every session:
        about 0.3 ms each. The last 400 days are kept.
        """
        return self.registry.usage_by_day(tenant, user)

    def ask(self, sql: str, params: Any = (), *, tenant: str = TENANT, max_rows: int | None = None) -> Rows:
        """Rows of one statement that reads what the catalogue holds of a tenant: sessions, messages, users and more.

        It sees the tables of `catalogue_tables` and nothing else. At most `max_rows` rows, and `limits.rows`. Raises
        StatementError.
        """
        from codemode.guard.questions import ask

        with self._catalog.asking(self.limits) as asking:
            found = ask(asking, tenant, sql, params, self.limits, max_rows)
        return Rows(found.columns, found.rows, truncated=found.truncated)

    def catalogue_tables(self) -> list[View]:
        """What `ask` can read: tables with their columns, and what each of them holds."""
        with self._catalog.asking(self.limits) as asking:
            return asking.views

    def backup(
        self,
        path: str | Path,
        session_id: str | None = None,
        *,
        tenant: str | None = None,
        progress: Progress | None = None,
    ) -> Backup:
        """Write a backup of everything, of a tenant, or of one session to the new file `path`, and read it back.

        Sessions may be written to meanwhile: each is in it as of one moment between two executions. Those that cannot
        be read are left out and told of. `progress` gets the bytes done and in all. Raises RequestInvalid where `path`
        exists and for a tenant that does not, SessionNotFound and SessionExpired for the one session, StorageFull;
        nothing is left of it then.
        """
        from codemode.session.backups import back_up, nothing_to_tell

        if session_id is not None:
            session_id, tenant = parse_session_id(session_id), tenant or TENANT
        elif tenant is not None:
            self.tenants.get(tenant)  # a slip of the pen is no empty backup
        return back_up(self.registry, Path(path), tenant, session_id, progress or nothing_to_tell)

    def restore(
        self,
        path: str | Path,
        session_id: str | None = None,
        *,
        tenant: str | None = None,
        new_id: str | None = None,
        existing: Existing = "error",
        progress: Progress | None = None,
    ) -> Restored:
        """Restore what a backup holds, what it holds of a tenant, or one session, as `new_id` where that is given.

        Everything is checked before anything is changed. A session that is there is an error; `existing` "replace"
        puts its data back, in its turn (`undo` takes that back), "skip" leaves it. Each session is restored wholly or
        not at all, and expires as one that is used now. Raises BackupDamaged, SessionNewer, SessionNotFound,
        SessionExists, SessionBusy, StorageFull.
        """
        from codemode.session.backups import nothing_to_tell
        from codemode.session.restoring import restore

        return restore(
            self.registry,
            Path(path),
            tenant,
            session_id,
            new_id=new_id,
            existing=existing,
            progress=progress or nothing_to_tell,
        )

    def _info(self, record: SessionRecord) -> SessionInfo:
        files = SessionFiles.of(self.data_dir, record.tenant, record.id)
        over = record.is_over(sure_ms())
        return SessionInfo(
            id=record.id,
            tenant=record.tenant,
            created_at=iso(record.created_at),
            last_activity=iso(record.last_activity),
            expires_at=None if record.expires_at is None else iso(record.expires_at),
            pinned=record.pinned,
            state="expired" if over else "active",
            size_bytes=files.size_bytes(),
            stateful=record.stateful,
            owner=record.owner,
        )

    def close(self) -> None:
        """End running executions, close every file, and remove a temporary data directory."""
        with self._lock:
            if self._closed:
                return
            self._closed, sandbox = True, self._sandbox or self._begun
        self._sweeper.stop()
        if sandbox is not None:
            sandbox.close()
        self.registry.close()
        self._catalog.close()
        if self._temporary:
            shutil.rmtree(self.data_dir, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _sweeping(registry: Registry, audit: Audit, settings: Settings) -> Callable[[], list[str]]:
    """What the sweeper does: it has no worker, see above."""

    def sweep() -> list[str]:
        if settings.audit_days:
            while audit.forget(sure_ms() - settings.audit_days * _DAY_MS):
                pass
        expired = registry.sweep()
        if not registry.catalog.file.behind:
            Retention(registry.catalog.file).sweep(sure_ms())
        return expired

    return sweep


def _log_isolation(sandbox: Sandbox, isolation: str) -> None:
    """Say once, when snippets begin to run, what does not protect the host from them."""
    if isolation == "none":
        _log.warning('isolation is "none": snippets run without confinement by the operating system')
        return
    absent = [f"{layer.name} ({layer.why})" for layer in sandbox.layers if not layer.active]
    _log.info("confined by %s; absent: %s", ", ".join(sandbox.isolation), "; ".join(absent) or "nothing")


def _position(after: str | None) -> tuple[int, str] | None:
    if after is None:
        return None
    moment, _, session_id = after.partition("~")
    if not (moment.isascii() and moment.isdecimal() and len(moment) < 16 and session_id):
        raise RequestInvalid("`after` is what the page before answered as `next`", hint="start without it")
    return int(moment), session_id


def prepared(data_dir: str | Path) -> Path:
    """The data directory, made where it is not there; raises StorageFull."""
    path = Path(data_dir).expanduser().absolute()
    with storage_errors(path):
        (path / "sessions").mkdir(mode=0o700, parents=True, exist_ok=True)
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
