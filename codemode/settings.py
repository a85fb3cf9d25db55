"""A worker's settings: argument, environment, file, default, in this order; never a file that was not named.

The file is TOML (`--config`, else `CODEMODE_CONFIG`): top-level keys and the tables `[limits]` and `[backup]`. The
environment has `CODEMODE_` and the key in capitals, `CODEMODE_LIMITS_` and `CODEMODE_BACKUP_` for the tables. A wrong
key or value in a file is an error; an unknown variable is only a warning, since others may set variables of the same
beginning.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args, get_origin, get_type_hints

import msgspec

from codemode.errors import RequestInvalid
from codemode.limits import MIB, Limits, most_of
from codemode.patterns import pattern

PREFIX = "CODEMODE_"
CONFIG = "CODEMODE_CONFIG"
_OF_CLIENTS = ("CODEMODE_URL", "CODEMODE_TOKEN")  # where a client calls, and by which token: no settings of a worker
_OF_SERVE = {"CODEMODE_HOST": "--host", "CODEMODE_PORT": "--port"}  # where a service listens: its options alone

# Kubernetes hands every container variables named for the services around it: a service called "codemode"
# brings CODEMODE_PORT=tcp://…; nobody misspelt those.
_SERVICE_LINK = pattern(r"CODEMODE_(.+_)?(SERVICE_(HOST|PORT.*)|PORT(_\d+_(TCP|UDP).*)?)")


_SWITCH = {"true": True, "1": True, "false": False, "0": False}
_ABOVE_ZERO = (
    "kept_seconds", "hang_seconds", "log_entries", "log_bytes", "slow_statement_ms", "sweep_seconds", "threads",
    "body_bytes", "upload_bytes", "connections", "header_seconds", "upload_idle_seconds", "shutdown_seconds",
    "mcp_result_bytes", "record_days", "catalog_connections",
)  # fmt: skip
_ZERO_OR_MORE = (
    "children", "burst_children", "kept_children", "workers", "drain_seconds", "listeners", "tenant_sessions",
    "tenant_bytes", "tenant_executions", "tenant_executions_per_minute", "audit_days", "promote_bytes",
    "promote_executions",
)  # fmt: skip


_EVERY = pattern(r"([1-9][0-9]{0,5})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


class BackupSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The backups that the service makes by itself."""

    every: str = ""  # how often everything is backed up: "6h", "1d", "30m"; empty: never
    keep: int = 7  # of these backups: older ones go once a newer one was read back
    to: str = ""  # their directory; empty: `backups` in the data directory, which a lost disk takes with it

    def __post_init__(self) -> None:
        if self.every and not _EVERY.fullmatch(self.every):
            raise RequestInvalid(
                f"setting backup.every is a number with s, m, h or d, not {self.every[:80]!r}", hint='write "6h"'
            )
        if self.keep < 1:
            raise RequestInvalid(f"setting backup.keep must be above zero, not {self.keep!r}")

    @property
    def every_seconds(self) -> int | None:
        """The time between two backups; None for never."""
        found = _EVERY.fullmatch(self.every)
        return int(found[1]) * _SECONDS[found[2]] if found else None


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one worker is set up."""

    data_dir: str | None = None  # without one: the command line's own place, a temporary directory in Python
    isolation: Literal["required", "none"] = "required"  # "none" is for trusted code on hosts that cannot confine
    children: int = 4  # kept forked and confined ahead of need; each costs some 3 MB
    burst_children: int = 10  # so many for a minute after more were needed than were ready; `children` or less: never
    kept_children: int = 8  # of stateful sessions, each with its variables: up to memory_bytes of them
    kept_seconds: float = 600.0  # unused for this long, a kept child is ended: its session's next one begins afresh
    log_entries: int = 10_000  # newest entries kept in a session's log: weeks of an agent's work
    log_bytes: int = 64 * MIB  # of that log: long snippets must not outgrow the data they work on
    slow_statement_ms: float = 1_000.0  # statements that took longer are kept with their plan
    promote_bytes: int = 0  # a session whose database comes to this size is pinned: it expires no more; 0 is never
    promote_executions: int = 0  # the same for so many executions in it
    sweep_seconds: float = 300.0  # between two looks for expired sessions: they are refused at once, removed by then
    workers: int = 1  # processes of the service, each with children of its own; 0 is one for each core
    spare_worker: bool = True  # of several: one more is ready to replace one that ends at once; some 125 MB of memory
    hang_seconds: float = 10.0  # one of several workers that answers no ping for so long is ended and replaced
    threads: int = 64  # of the service: each call and each running execution holds one, a waiting one none
    body_bytes: int = 8 * MIB  # of a request that is a JSON document
    upload_bytes: int = 4096 * MIB  # of records or a file that stream in
    connections: int = 4_096  # open at once, of half of the process's descriptors at most; background executions too
    listeners: int = 200  # streams of events open at once for a tenant, in each worker; 0 is no bound
    header_seconds: float = 20.0  # in which the head of a connection's first or next request must come
    trusted_proxies: str = ""  # addresses or networks, with commas between, whose X-Forwarded-For is believed
    upload_idle_seconds: float = 30.0  # who sends or reads nothing so long is let go: an upload holds a turn
    drain_seconds: float = 0.0  # an ending service still takes requests for so long: balancers look at /ready meanwhile
    shutdown_seconds: float = 10.0  # what running executions get when the service ends; then they are undone
    log_format: Literal["text", "json"] = "text"  # of what the service logs on standard error: a line for each record
    log_level: Literal["debug", "info", "warning", "error"] = "info"  # info has a line for each request
    tenant_sessions: int = 0  # of a tenant with tokens that has no number of its own; 0 is no bound, here and below
    tenant_bytes: int = 0  # of all its sessions on disk
    tenant_executions: int = 0  # at once: those that wait for their session's turn count
    tenant_executions_per_minute: int = 0  # so many at once after a pause, then evenly
    trace_statements: bool = False  # whether spans of statements have their text, with ? for every value in it
    audit_days: int = 400  # how long the audit log remembers; 0 is for good
    record_days: int = 90  # how long an expired session is known, with what was said and shown in it
    secret_keys_file: str = ""  # keys that seal what is sensitive in the catalogue: one a line, newest first
    metrics_open: bool = False  # whether anybody who reaches it may read GET /metrics; else an operator's token may
    mcp_result_bytes: int = 32 * 1024  # of a result, rows or printed text that a model reads; larger results are kept
    cors_origins: str = ""  # origins of web pages that may call the service, with commas between; none by default
    catalog: str = ""  # "memory", or postgresql://user@host/database; empty: a file in data_dir
    catalog_connections: int = 8  # of each process to PostgreSQL: what runs at once waits for one, 2 at least
    catalog_migrate: Literal["additive", "all", "none"] = "additive"  # which steps opening it takes by itself
    limits: Limits = Limits()  # of every session; a session's own only go downwards
    backup: BackupSettings = BackupSettings()  # made by the service, of everything

    def __post_init__(self) -> None:
        _check_kinds(self)
        for name in _ZERO_OR_MORE:
            if not getattr(self, name) >= 0:
                raise RequestInvalid(f"setting {name} must be zero or more, not {getattr(self, name)!r}")
        for name in _ABOVE_ZERO:
            if not getattr(self, name) > 0:
                raise RequestInvalid(f"setting {name} must be above zero, not {getattr(self, name)!r}")
        for name in (*_ZERO_OR_MORE, *_ABOVE_ZERO):
            if getattr(self, name) > most_of(name):
                raise RequestInvalid(f"setting {name} must be at most {most_of(name):,}, not {getattr(self, name)!r}")


def _check_kinds(settings: Settings) -> None:
    """Raise RequestInvalid for a value that is not of its setting's kind; the defaults are."""
    defaults = dict(zip(Settings.__struct_fields__, Settings.__struct_defaults__, strict=True))
    given = {name: value for name in defaults if (value := getattr(settings, name)) != defaults[name]}
    kinds: dict[str, Any] = {**keys(), **TABLES} if given.keys() - {"data_dir"} else {}
    for name, kind in kinds.items():
        if name in given and name != "data_dir":
            _checked(given[name], kind, f"setting {name}")


class Resolved(NamedTuple):
    """Settings with the source of each, by dotted key, and what looked wrong but harmless."""

    settings: Settings
    sources: dict[str, str]
    warnings: tuple[str, ...]


TABLES: dict[str, type[Limits] | type[BackupSettings]] = {"limits": Limits, "backup": BackupSettings}


def keys() -> dict[str, Any]:
    """Every dotted key with the type that it takes."""
    own = {key: hint for key, hint in get_type_hints(Settings).items() if key not in TABLES}
    for table, struct in TABLES.items():
        own |= {f"{table}.{key}": hint for key, hint in get_type_hints(struct).items()}
    return own


def flat(settings: Settings) -> dict[str, Any]:
    """The settings by dotted key."""
    values = {key: getattr(settings, key) for key in Settings.__struct_fields__ if key not in TABLES}
    for table, struct in TABLES.items():
        values |= {f"{table}.{key}": getattr(getattr(settings, table), key) for key in struct.__struct_fields__}
    return values


def variable(key: str) -> str:
    """The environment variable of a key: `limits.rows` is CODEMODE_LIMITS_ROWS."""
    return PREFIX + key.replace(".", "_").upper()


def resolve(
    *, config: str | Path | None = None, environ: Mapping[str, str] | None = None, **arguments: Any
) -> Resolved:
    """Settings from every source; arguments that are None were not given."""
    environ = os.environ if environ is None else environ
    config = config or environ.get(CONFIG) or None
    given = _from_file(Path(config)) if config else {}
    given |= _from_environment(environ)
    given |= {key: (value, "argument") for key, value in arguments.items() if value is not None}
    values = {key: value for key, (value, _) in given.items()}
    tables: dict[str, Any] = {}
    for table, struct in TABLES.items():
        below = {key.removeprefix(f"{table}."): values.pop(key) for key in given if key.startswith(f"{table}.")}
        tables[table] = struct(**below)
    sources = {key: given[key][1] if key in given else "default" for key in keys()}
    return Resolved(Settings(**tables, **values), sources, _unknown_variables(environ))


def _from_file(path: Path) -> dict[str, tuple[Any, str]]:
    import tomllib

    try:
        table = tomllib.loads(path.read_text(encoding="utf-8-sig"))  # some editors begin files with a mark
    except OSError as error:
        raise RequestInvalid(
            f"cannot read the settings file {path}: {error.strerror}", hint="`codemode settings --sample` prints one"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RequestInvalid(f"{path} is not TOML: {error}", hint="see `codemode settings --sample`") from None
    entries = {key: value for key, value in table.items() if key not in TABLES}
    for name in TABLES.keys() & table.keys():
        if not isinstance(table[name], dict):
            raise RequestInvalid(f"{path}: {name} is a table", hint=f"write [{name}] and its keys below")
        entries |= {f"{name}.{key}": value for key, value in table[name].items()}
    known = keys()
    values = {}
    for key, value in entries.items():
        if key not in known:
            raise _unknown_key(f"{path}: unknown setting {key}", key, known)
        values[key] = (_checked(value, known[key], f"{path}: {key}"), f"file {path}")
    for key in ("data_dir", "backup.to"):
        if key in values and values[key][0]:
            values[key] = (str(path.parent / Path(values[key][0]).expanduser()), f"file {path}")
    return values


def _unknown_key(message: str, key: str, known: Mapping[str, Any]) -> RequestInvalid:
    close = difflib.get_close_matches(key, known, n=3, cutoff=0.6)
    close += [name for name in known if name.endswith(f".{key}") or f"limits.{name}" == key]
    hint = "a limit stands below [limits]" if any(name.startswith("limits.") for name in close) else None
    return RequestInvalid(message, hint=hint, did_you_mean=tuple(dict.fromkeys(close)), available=tuple(known))


def _from_environment(environ: Mapping[str, str]) -> dict[str, tuple[Any, str]]:
    values = {}
    for key, kind in keys().items():
        name = variable(key)
        if environ.get(name):  # set but empty is how a shell unsets for one command
            values[key] = (_checked(_parsed(environ[name], kind), kind, name), f"environment {name}")
    return values


def _parsed(text: str, kind: Any) -> Any:
    """The number that a variable's text is, where its key takes one; otherwise the text, for the check to judge."""
    if kind is int and re.fullmatch(r"\s*-?[0-9][0-9_]*\s*", text):
        return int(text)
    if kind is float and re.fullmatch(r"\s*-?[0-9]+(\.[0-9]+)?\s*", text):
        return float(text)
    if kind is bool and text.strip().lower() in _SWITCH:
        return _SWITCH[text.strip().lower()]
    return text


def _checked(value: Any, kind: Any, where: str) -> Any:
    if kind is float and type(value) is int:
        return float(value)
    if get_origin(kind) is Literal:
        if value in get_args(kind):
            return value
        expected = " or ".join(f'"{choice}"' for choice in get_args(kind))
    elif isinstance(value, kind) and not (kind is not bool and isinstance(value, bool)):
        return value
    else:
        words = {int: "a whole number", float: "a number", bool: "true or false"}
        expected = kind.__name__ if kind in TABLES.values() else words.get(kind, "text")
    raise RequestInvalid(f"{where}: expected {expected}, not {value!r}")


def _unknown_variables(environ: Mapping[str, str]) -> tuple[str, ...]:
    known = [variable(key) for key in keys()] + [CONFIG, *_OF_CLIENTS]
    warnings = []
    for name in sorted(environ):
        if name in _OF_SERVE and "://" not in environ[name]:
            warnings.append(f"{name} is no setting: use codemode serve {_OF_SERVE[name]}")
        elif name.startswith(PREFIX) and name not in known and not _SERVICE_LINK.fullmatch(name):
            close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
            warnings.append(f"{name} is no setting" + (f": did you mean {close[0]}?" if close else ""))
    return tuple(warnings)
