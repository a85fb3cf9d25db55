"""The guide shown to models: what a snippet is, what `helpers` offers, which limits hold.

The calls come from the helpers' own signatures and docstrings, the numbers from the limits in force, so that the
guide cannot fall behind; the rest is kept short, because every model call pays for it (`tests/test_prompt.py`).
"""

from __future__ import annotations

from string import Template
from typing import Any

import msgspec

from codemode.interface import Call, calls
from codemode.limits import Limits

_TEMPLATE = Template("""\
# Running Python next to a database

You submit Python 3 source (a snippet). It runs in an isolated process without files or network, beside a SQLite
database that belongs to this session and keeps its tables for your next snippets; $variables.
The usual modules for data work can be imported (json, re, math, statistics, datetime, collections, itertools, csv …).

**Answer.** Top-level `return value`; else the last expression, else the variable `result`. Answer with plain data:
None, numbers, text, lists, dicts; dates become ISO text. `print` is captured too. `await` is accepted and not needed.

**All or nothing.** One snippet is one transaction: if it fails, nothing of it remains. `helpers.db.commit()` keeps what
was done so far. BEGIN, COMMIT, PRAGMA, ATTACH and VACUUM are refused.

**Values.** Bind them: `?` with a list, `:name` with a dict. NULL is None, booleans are 1 and 0, lists and dicts are
stored as JSON text, dates as ISO text. Text in SQL takes 'single quotes', names "double quotes".

**Errors** are `helpers.Error` with `.code .message .hint .did_you_mean .available .suggestion`: run the suggestion, or
mend as the hint says.

**From the host.** Its inputs are variables; its functions are `helpers.host.NAME(...)`, or just `NAME(...)`.

## helpers.db

$db

## helpers.schema

$schema

## helpers.sql

Builders of SQL; pass the result to `helpers.db.query(...)` as it is. Conditions (`where`) are a dict:
`{"year": 2013, "carrier": ["AA", "UA"], "delay": {">": 15}, "name": {"like": "x%"}, "or": [...]}`.

$sql

## Limits

$limits

## Examples

```python
# Look first, aggregate in SQL, answer with little.
print(helpers.schema.describe_table("orders")["columns"])
return helpers.db.query(
    "SELECT status, count(*) AS n, round(avg(total), 2) AS mean FROM orders WHERE year = ? GROUP BY status", [2024])
```

```python
# Stage records in a table, then ask.
records = ({"id": n, "text": text} for n, text in enumerate(texts))
helpers.db.batch_insert("notes", records, create=True)
return helpers.db.value("SELECT count(*) FROM notes")
```

```python
# More rows than one query answers: in pages.
total = 0
for page in helpers.db.pages("SELECT text FROM notes"):
    total += sum(len(row["text"].split()) for row in page)
return total
```

## Mistakes to avoid

- Guessing names: ask `get_tables` and `describe_table` first.
- Fetching rows to count, group or sort them in Python: SQL does it faster and without the row limit.
- One INSERT per record in a loop: use `batch_insert`.
- Pasting values into SQL with f-strings: bind them.
- Returning thousands of rows: return a summary. What is too large is kept as a table `_result_N`;
  `how_to_read` says how to go on.
- Ignoring `.truncated` on the rows of `query`.
""")

# What models run into; the rest of the limits is in `helpers.db.get_metrics()["limits"]`.
_SHOWN = (
    ("rows", "rows a query answers"),
    ("query_seconds", "seconds a statement"),
    ("execution_seconds", "seconds a snippet"),
    ("helper_calls", "helper calls a snippet"),
    ("memory_bytes", "memory"),
    ("result_bytes", "result"),
    ("stdout_bytes", "printed text"),
    ("value_bytes", "one value"),
    ("database_bytes", "database"),
)


class Guide(msgspec.Struct, frozen=True):
    """The text for a model, and the facts in it as data."""

    text: str
    helpers: tuple[Call, ...]
    limits: dict[str, Any]


_VARIABLES = "Python variables do not survive"
_LIVE_VARIABLES = "variables stay too\n(not rolled back), until the outcome says `variables: fresh`"


def guide(limits: Limits | None = None, *, stateful: bool = False) -> Guide:
    """The guide for sessions with these limits, `stateful` or not."""
    limits = limits or Limits()
    found = calls()
    text = _TEMPLATE.substitute(
        variables=_LIVE_VARIABLES if stateful else _VARIABLES,
        db=_listed(found, "helpers.db"),
        schema=_listed(found, "helpers.schema"),
        sql="\n".join(f"- `{helper.signature}`" for helper in found if helper.name.startswith("helpers.sql")),
        limits=" · ".join(f"{amount(name, getattr(limits, name))} {what}" for name, what in _SHOWN),
    )
    return Guide(text, found, msgspec.to_builtins(limits))


def _listed(helpers: tuple[Call, ...], group: str) -> str:
    return "\n".join(f"- `{h.signature}` {h.summary}" for h in helpers if h.name.startswith(f"{group}."))


def amount(name: str, value: float) -> str:
    """The value of a limit as people write it, bytes with their unit."""
    if not name.endswith("_bytes"):
        return f"{value:,g}" if value < 1e6 else f"{value:,.0f}"
    units = {"GiB": 2**30, "GB": 10**9, "MiB": 2**20, "MB": 10**6, "KiB": 2**10, "kB": 10**3}
    for unit, factor in units.items():
        if value >= factor and value % factor == 0:
            return f"{value // factor:,.0f} {unit}"
    return f"{value:,.0f} bytes"
