"""The worker: sessions, a sandbox and the engine's own files, joined. The only file that knows all layers."""

from __future__ import annotations

import os
import weakref
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

from codemode.asked import parse_session_id, path_of, text_of, text_or_none, truth, whole_above_zero, whole_between
from codemode.catalog.audit import Audit
from codemode.catalog.background import BackgroundExecutions
from codemode.catalog.pages import parse_pair_after
from codemode.catalog.participants import Participants, parse_user
from codemode.catalog.promotion import Promotion
from codemode.catalog.rates import Rates
from codemode.catalog.seal import Seal
from codemode.catalog.sessions import ALL, SessionRecord, Sessions
from codemode.catalog.store import Store
from codemode.catalog.tenants import TENANT, Tenants, check_tenant
from codemode.catalog.tokens import Token, Tokens
from codemode.database.clock import now_ms, sure_ms
from codemode.errors import CodemodeError, RequestInvalid
from codemode.limits import Limits, asked
from codemode.loading import loading_late
from codemode.session.data_dir import open_catalog, prepared
from codemode.session.figures import Figures, described
from codemode.session.files import clear
from codemode.session.ids import new_session_id
from codemode.session.on_demand import OnDemand
from codemode.session.opened import LogBounds
from codemode.session.registry import Registry
from codemode.session.retention import Sweeper, due, sweeping
from codemode.session.session import Session
from codemode.session.slots import Key
from codemode.session.storage import Storage
from codemode.settings import Settings
from codemode.values import Backup, Day, Holdings, Layer, Restored, SessionInfo, Stats
from codemode.values.records import Due, Statistics
from sandbox import Sandbox

if TYPE_CHECKING:  # loaded by the methods that need it: most processes run snippets and nothing else
    from codemode.catalog.tenant import TenantRecords
    from codemode.catalog.views import View
    from codemode.session.backups import Progress
    from codemode.session.restoring import Existing
    from sandbox.helpers.rows import Rows

_DAY_MS = 86_400_000
_REMOVE_SECONDS = 5.0  # how long removing or pinning waits for a running execution

T = TypeVar("T")


class Worker:
    """Hosts sessions below `data_dir`, or in a temporary directory that goes with the worker.

    `limits` bound every session; `settings` carry the rest. Use it as a context manager, or call `close`. `sandbox` is
    one that was begun for this worker (`codemode.session.confining`), which closes it.
    Raises RequestInvalid for wrong settings, StorageFull when the data directory cannot be used.
    """

    _cleared: weakref.finalize[..., Worker | Registry] | None = None  # removes a temporary data directory

    def __init__(
        self,
        data_dir: str | Path | None = None,
        limits: Limits | None = None,
        settings: Settings | None = None,
        *,
        sandbox: Sandbox | None = None,
    ) -> None:
        self.settings = _instance("settings", settings, Settings) or Settings()
        self.limits = _instance("limits", limits, Limits) or self.settings.limits
        self.data_dir = self._directory(data_dir or self.settings.data_dir)
        self._catalog = open_catalog(self.data_dir, self.settings)
        promotion = Promotion(self.settings.promote_bytes, self.settings.promote_executions)
        storage = Storage(
            data_dir=self.data_dir,
            limits=self.limits,
            log=LogBounds(self.settings.log_entries, self.settings.log_bytes, self.settings.slow_statement_ms),
            record_ms=self.settings.record_days * _DAY_MS,
            promotion=promotion if promotion.is_on else None,
        )
        self.registry = Registry(storage, Sessions(self._catalog))
        self.tokens, self.audit = Tokens(self._catalog), Audit(self._catalog)
        self.tenants, self.rates = Tenants(self._catalog), Rates(self._catalog)
        self.participants = Participants(self._catalog)
        self.background = BackgroundExecutions(self._catalog)
        self._seal = Seal.of_file(self.settings.secret_keys_file)
        # Weakly: the sweeper's thread has the registry, and a worker that nobody has any more must be collected.
        forget = weakref.WeakMethod(self._forget_variables)
        self.registry.ending.on_gone = lambda key: (found := forget()) and found(key)
        self._figures = Figures(self.registry, self.settings)
        self._sweep = sweeping(self.registry, self.audit, self.settings)
        # What is left of a worker that is forgotten, its sweeper closes: a finalizer may be called within any lock.
        self._sweeper = Sweeper(self._sweep, self.settings.sweep_seconds, partial(_leave, self.registry, self._catalog))
        weakref.finalize(self, self._sweeper.forget).atexit = False
        if self._cleared is not None:  # after that: it has files in there
            self._cleared.detach()
            self._cleared = weakref.finalize(self.registry, _clear_own, self.data_dir, os.getpid())
        self._on_demand = OnDemand(self.settings, self.limits, sandbox)

    def _directory(self, data_dir: str | Path | None) -> Path:
        if data_dir is None:
            import tempfile  # loads every kind of compression with it

            made = Path(tempfile.mkdtemp(prefix="codemode-"))
            self._cleared = weakref.finalize(self, _clear_own, made, os.getpid())
            return made
        return prepared(data_dir)

    @property
    def catalogue(self) -> Store:
        """Where tenants, tokens, users and what is said in sessions are kept."""
        return self._catalog

    @property
    def sandbox(self) -> Sandbox:
        """What runs snippets; started at first use, since looking at sessions needs none.

        Raises IsolationMissing on a host that cannot confine them, and WorkerUnavailable where it does not start.
        """
        return self._on_demand.get()

    @property
    def started_sandbox(self) -> Sandbox | None:
        """The same where it runs already; never waits, so an event loop may ask."""
        return self._on_demand.started

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Each layer of confinement: active or not, and why."""
        return tuple(
            Layer(name=layer.name, active=layer.active, required=layer.required, why=layer.why)
            for layer in self.sandbox.layers
        )

    @property
    def isolation(self) -> tuple[str, ...]:
        """The names of the layers that are active; raises WorkerUnavailable where snippets cannot run any more."""
        return self._on_demand.isolation()

    def session(
        self,
        session_id: str | None = None,
        *,
        limits: Limits | Mapping[str, Any] | None = None,
        renew: bool = False,
        create: bool = True,
        stateful: bool | None = None,
        tenant: str = TENANT,
        owner: str | None = None,
    ) -> Session:
        """The session of this id, made on first use; without an id a new one with a minted id.

        `limits` lower this session's own: all of `Limits`, or some by name, where the others are the worker's. `renew`
        makes an expired (or damaged) session anew. `stateful` says whether its variables stay between executions, for
        good; None leaves that as it is. `owner` is the user of the tenant whom a session that is made now belongs to.
        Raises RequestInvalid for a bad id or a tenant that there is not, SessionExpired, and SessionNotFound where
        `create` is False.
        """
        key = (text_of("tenant", tenant), new_session_id() if session_id is None else parse_session_id(session_id))
        record, _ = self.registry.ensure(
            key,
            create=truth("create", create),
            renew=truth("renew", renew),
            own=None if limits is None else asked(limits),
            owner=None if owner is None else parse_user(owner),
            stateful=None if stateful is None else truth("stateful", stateful),
        )
        return Session(self, tenant, record.id, self.registry.limits(record))

    def session_of(self, record: SessionRecord) -> Session | None:
        """The session of this record unless it is over; waits for nothing."""
        if record.is_over(sure_ms()):
            return None
        return Session(self, record.tenant, record.id, self.registry.limits(record))

    def sessions(
        self,
        tenant: str = TENANT,
        *,
        workspace_id: str | None = None,
        type: str | None = None,  # noqa: A002
        status: str | None = None,
    ) -> list[SessionInfo]:
        """Every session, latest use first: all, or those of a workspace, type, status ("active", "closed", "expired").

        Expired ones are known as long as their ids are remembered; one whose time is over has that status from the next
        sweep on. Raises RequestInvalid.
        """
        return self.session_page(tenant, workspace_id=workspace_id, type=type, status=status, limit=ALL)[0]

    def session_page(
        self,
        tenant: str = TENANT,
        *,
        user: str | None = None,
        workspace_id: str | None = None,
        type: str | None = None,  # noqa: A002
        status: str | None = None,
        after: str | None = None,
        limit: int = 100,
    ) -> tuple[list[SessionInfo], str | None]:
        """At most `limit` of them, all or those that `user` takes part in; then the `after` of the next page."""
        only = {"workspace_id": workspace_id, "type": type, "status": status}
        found = self.registry.catalog.page(
            text_of("tenant", tenant), text_or_none("user", user), parse_pair_after(after),
            whole_between("limit", limit, ALL) + 1, now=sure_ms(),
            **{name: text_or_none(name, value) for name, value in only.items()},
        )  # fmt: skip
        more = f"{found[limit - 1].last_activity}~{found[limit - 1].id}" if len(found) > limit else None
        return [described(self.data_dir, record) for record in found[:limit]], more

    def info(self, session_id: str, tenant: str = TENANT) -> SessionInfo:
        """One session; raises SessionNotFound."""
        return described(self.data_dir, self.registry.known((text_of("tenant", tenant), parse_session_id(session_id))))

    def of(self, tenant: str = TENANT) -> TenantRecords:
        """Everything that the catalogue holds of a tenant: its users, its workspaces, what is said in its sessions."""
        from codemode.catalog.tenant import TenantRecords

        return TenantRecords(self._catalog, check_tenant(tenant), self._seal)

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
        self.registry.ending.remove((text_of("tenant", tenant), parse_session_id(session_id)), _REMOVE_SECONDS)

    def _forget_variables(self, key: Key) -> None:
        """The session's data is gone, and what a kept child and the sandbox remember of it goes too."""
        if self.started_sandbox is not None:
            self.started_sandbox.forget(lambda whose: whose[0] == key)

    def pin(self, session_id: str, pinned: bool = True, tenant: str = TENANT) -> None:
        """Keep a session from expiring, or let it expire again; raises SessionNotFound, SessionExpired."""
        stay, key = truth("pinned", pinned), (text_of("tenant", tenant), parse_session_id(session_id))
        record, _ = self.registry.ensure(key, create=False, renew=False, own=None)
        self.registry.catalog.pin(record.tenant, record.id, stay, now_ms())

    def sweep(self, tenant: str | None = None) -> list[str]:
        """Sweep now instead of later; the ids of the sessions that expired, of a tenant's alone where one is named."""
        return self._sweep() if tenant is None else self.registry.ending.sweep(text_of("tenant", tenant))

    def due(self) -> Due:
        """What a sweep would do now, of all tenants."""
        return due(self.registry, self.audit, self.settings)

    def statistics(self, tenant: str = TENANT) -> Statistics:
        """How many there are of what, now: other workers' last executions may be missing for seconds."""
        self.registry.uses.tell()
        return self.of(tenant).statistics.get()

    def metrics(self, tenant: str = TENANT) -> dict[str, Any]:
        """The figures of this worker: `sessions`, `pinned`, `expired`, `size_bytes`, `free_bytes`, and `usage`.

        Where backups are scheduled, or were, `last_backup` is the time of the newest, and `backup_error` why the
        newest attempt failed, if it did.
        `usage` is what ran in this worker since it started, `warnings` by kind among it. What a tenant's sessions cost
        over their lives: `usage_by_day`.
        """
        return self._figures.metrics(text_of("tenant", tenant))

    def stats(self, tenant: str = TENANT, *, user: str | None = None) -> Stats:
        """What the tenant's sessions, or those that `user` takes part in, hold and cost; nothing of anybody else's.

        Reads the log of every such session: about 0.3 ms each.
        """
        return self._figures.stats(text_of("tenant", tenant), text_or_none("user", user))

    def holdings(self) -> Holdings:
        """What this worker holds now, all tenants together; cheap, and starts nothing."""
        return self._figures.holdings(self.started_sandbox)

    def usage_by_day(self, tenant: str = TENANT, *, user: str | None = None) -> list[Day]:
        """What the tenant's sessions cost together, by day (UTC), oldest first; those that are gone among them.

        With a `user` only what those cost that he takes part in, and that are there. Reads the log of every session:
        about 0.3 ms each. The last 400 days are kept.
        """
        return self.registry.usage_by_day(text_of("tenant", tenant), text_or_none("user", user))

    def ask(self, sql: str, params: Any = (), *, tenant: str = TENANT, max_rows: int | None = None) -> Rows:
        """Rows of one statement that reads what the catalogue holds of a tenant: sessions, messages, users and more.

        It sees the tables of `catalogue_tables` and nothing else. At most `max_rows` rows, and `limits.rows`. Raises
        StatementError.
        """
        from codemode.guard.questions import ask

        with loading_late():
            from sandbox.helpers.rows import Rows

        most = None if max_rows is None else whole_above_zero("max_rows", max_rows)
        with self._catalog.asking(self.limits) as asking:
            found = ask(asking, text_of("tenant", tenant), sql, params, self.limits, most)
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
            tenant = self.tenants.get(text_of("tenant", tenant)).id  # a slip of the pen is no empty backup
        return back_up(self.registry, path_of(path), tenant, session_id, progress or nothing_to_tell)

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
            path_of(path),
            tenant,
            session_id,
            new_id=new_id,
            existing=existing,
            progress=progress or nothing_to_tell,
        )

    def close(self) -> None:
        """End running executions, close every file, and remove a temporary data directory.

        Raises SessionBusy where a host function does not return, when everything else is done.
        """
        if not self._on_demand.close():
            return
        self._sweeper.stop()
        try:
            self.registry.close()
        finally:
            self._catalog.close()
            if self._cleared is not None:
                self._cleared()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _leave(registry: Registry, catalog: Store) -> None:
    """Close what a worker had that nobody closed."""
    with suppress(CodemodeError):
        registry.close()
    catalog.close()


def _clear_own(made: Path, owner: int) -> None:
    """Remove a worker's own directory; not where a process that was forked from its own ends."""
    if os.getpid() == owner:
        clear(made)


def _instance(name: str, given: T | None, kind: type[T]) -> T | None:
    if given is None or isinstance(given, kind):
        return given
    raise RequestInvalid(f"{name} must be {kind.__name__}, not {type(given).__name__}", hint=f"pass {kind.__name__}(…)")
