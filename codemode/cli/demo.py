"""`codemode demo`: real data, three snippets as an agent would write them, and what each of them cost."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from codemode.cli.app import App, command
from codemode.cli.output import duration, note, printable, size
from codemode.cli.run import run_interruptibly, show_outcome
from codemode.cli.table import show
from codemode.counts import plural

if TYPE_CHECKING:
    from codemode.database.transfer import Profile
    from codemode.session.session import Session
    from codemode.values import Outcome

TABLES = ("airlines.csv", "airports.csv", "planes.csv", "weather.csv", "flights.csv.gz")
CHECKOUT = Path(__file__).parents[2] / "benchmarks" / "data" / "nycflights13"
FIRST_QUESTION = "SELECT * FROM airlines"
SAMPLE = Path(__file__).parent / "sample"

LATE_CARRIERS = '''\
# Which carriers arrive latest, on average? First look at what is there.
tables = helpers.schema.get_tables()
columns = [column["name"] for column in helpers.schema.get_columns("flights")]
print("tables:", ", ".join(tables))
print("flights:", ", ".join(columns))

return helpers.db.query(
    """
    SELECT airlines.name AS carrier, count(*) AS flights, round(avg(arr_delay), 3) AS mean_arrival_delay
    FROM flights JOIN airlines USING (carrier)
    GROUP BY carrier HAVING count(*) > ?
    ORDER BY avg(arr_delay) DESC LIMIT 3
    """,
    [least_flights],
)
'''

RAIN = '''\
# Does rain delay departures? Weather is by airport and hour; a tenth of an inch in an hour is a downpour.
late = helpers.db.query(
    """
    SELECT weather.origin, count(dep_delay) AS departures, round(avg(dep_delay), 2) AS mean_departure_delay
    FROM flights JOIN weather USING (origin, time_hour)
    WHERE precip > :rain GROUP BY weather.origin ORDER BY avg(dep_delay) DESC
    """,
    {"rain": 0.1},
)
usual = helpers.db.value("SELECT round(avg(dep_delay), 2) FROM flights")
print(f"on all days: {usual} minutes")
return late
'''

BROKEN = """\
# Clean up in place: write a summary, drop the cancelled flights, then go on. The last step has a mistake in it.
helpers.db.create_table("cancelled", {"carrier": "TEXT", "flights": "INTEGER"})
helpers.db.exec("INSERT INTO cancelled SELECT carrier, count(*) FROM flights WHERE dep_time IS NULL GROUP BY carrier")
gone = helpers.db.exec("DELETE FROM flights WHERE dep_time IS NULL")
print(f"deleted {gone['changes']} flights, {helpers.db.value('SELECT count(*) FROM flights')} are left")

return helpers.db.query("SELECT carrier, avg(arival_delay) FROM flights GROUP BY carrier")
"""


class Step(NamedTuple):
    """One snippet and the question it answers."""

    title: str
    code: str
    inputs: dict[str, Any]


@command("demo", short_help="Import real data and run three snippets on it.")
def demo(app: App) -> int:
    """Import the flights that left New York in 2013, and run three snippets as an agent would write them.

    From a checkout it is the whole year, from an installed package a sample of four days. It runs in a new session of
    the data directory, which can be looked at afterwards and expires in 24 hours.
    """
    folder, whole = (CHECKOUT, True) if (CHECKOUT / TABLES[-1]).exists() else (SAMPLE, False)
    steps = (
        Step("carriers that arrive latest", LATE_CARRIERS, {"least_flights": 1000 if whole else 100}),
        Step("departure delays in the rain", RAIN, {}),
        Step("a snippet that fails half-way through its writes", BROKEN, {}),
    )
    with app.worker(runs=True) as worker:
        session = app.session(worker, None, "local")
        imported = _import(app, session, folder)
        before = _state(session)
        outcomes = [_run(app, session, number, step) for number, step in enumerate(steps, 1)]
        after = _state(session)
    if app.as_json:
        snippets = [
            {"title": step.title, "code": step.code, "outcome": o} for step, o in zip(steps, outcomes, strict=True)
        ]
        result = {"data": str(folder), "imports": imported, "snippets": snippets, "before": before, "after": after}
        app.answer(result, session_id=session.id)
    else:
        _show_untouched(before, after)
        place = app.data_dir_argument()
        click.echo(f"\nLook at it:  codemode sessions show {session.id}{place}")
        click.echo(f"Ask it:      codemode query -s {session.id} '{FIRST_QUESTION}'{place}")
        click.echo(f"Remove it:   codemode sessions rm {session.id}{place}")
    expected = [outcome.ok for outcome in outcomes] == [True, True, False] and before == after
    return 0 if expected else 1


def _import(app: App, session: Session, folder: Path) -> list[Profile]:
    profiles, rows = [], []
    for name in TABLES:
        begun = time.perf_counter()
        profile = session.import_file(folder / name, null="NA")
        took = duration(1000 * (time.perf_counter() - begun))
        rows.append([profile.table, profile.rows, size((folder / name).stat().st_size), took])
        profiles.append(profile)
    if not app.as_json:
        _heading(f"importing {folder}")
        show(["table", "rows", "file", "time"], rows)
    return profiles


def _run(app: App, session: Session, number: int, step: Step) -> Outcome:
    outcome = run_interruptibly(session, lambda: session.run(step.code, inputs=step.inputs))
    if not app.as_json:
        _heading(f"snippet {number}: {step.title}")
        click.echo(click.style("".join(f"  {line}\n" for line in step.code.splitlines()), fg="cyan"), nl=False)
        for name, value in step.inputs.items():
            click.echo(click.style(f"  # with the input {name} = {value}", fg="cyan"))
        click.echo("".join(f"> {printable(line)}\n" for line in outcome.stdout.splitlines()), nl=False)
        show_outcome(outcome, err=False)
    return outcome


def _state(session: Session) -> dict[str, Any]:
    """What the third snippet would have changed."""
    return {"tables": session.get_tables(), "flights": session.value("SELECT count(*) FROM flights")}


def _show_untouched(before: dict[str, Any], after: dict[str, Any]) -> None:
    _heading("what remains of the third snippet's writes")
    rows = [
        [when, plural(len(state["tables"]), "table"), state["flights"]]
        for when, state in (("before", before), ("after", after))
    ]
    show(["", "tables", "flights"], rows)
    if before == after:
        note("nothing: it ran in one transaction, and failed", err=False)


def _heading(text: str) -> None:
    click.echo(f"\n{click.style(f'── {text} ──', bold=True)}")
