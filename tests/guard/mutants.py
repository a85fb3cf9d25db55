"""Mutates valid statements token by token and submits them: what is accepted may not harm the engine's own.

`python tests/guard/mutants.py --seconds 3600 --seed 7` runs it for as long as wanted; test_mutants.py runs a few
thousand. A finding is printed as the text that makes it.
"""

from __future__ import annotations

import argparse
import random
import re
import tempfile
import time
from collections import Counter
from pathlib import Path

from guard_desk import USER_SQL, Desk
from sql_cases import FOLDER, read_cases

from codemode.errors import CodemodeError
from codemode.guard import scan
from codemode.limits import Limits

TOKEN = re.compile(
    r"\s+|--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|\"[^\"]*\"|`[^`]*`|\[[^\]]*\]|\w+|->>?|\|\||[<>=!]=|.", re.DOTALL
)
NAMES = [
    "session_state", "SESSION_STATE", '"session_state"', "[Session_State]", "`session_state`", "main.session_state",
    "execution_logs", "log.execution_logs", "log.other_secret", "temp.execution_logs", "_result_1",
    "_codemode_counters", "_codemode_x", "_result", "sqlite_sequence", "sqlite_schema", "sqlite_master",
    "sqlite_temp_master", "sqlite_stat1", "temp.t", "main.t", "t", "u", "only", "docs", "docs_data", "docs_config",
    "v", "dbstat", "pragma_database_list", "pragma_table_info('t')", "json_each('[1]')", '"odd name"', "key",
    "value", "updated_at",
]  # fmt: skip
WORDS = [
    "SELECT", "INSERT", "INTO", "UPDATE", "DELETE", "FROM", "REPLACE", "CREATE", "TABLE", "VIEW", "INDEX",
    "TRIGGER", "VIRTUAL", "TEMP", "DROP", "ALTER", "RENAME", "TO", "ADD", "COLUMN", "ATTACH", "DETACH", "PRAGMA",
    "BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "VACUUM", "ANALYZE", "REINDEX", "EXPLAIN", "QUERY",
    "PLAN", "WITH", "RECURSIVE", "AS", "VALUES", "SET", "WHERE", "ON", "CONFLICT", "DO", "NOTHING", "RETURNING",
    "UNION", "ALL", "EXCEPT", "ORDER", "BY", "GROUP", "LIMIT", "OFFSET", "IN", "EXISTS", "NOT", "NULL", "IF", "OR",
    "AND", "IGNORE", "ABORT", "FAIL", "AFTER", "BEFORE", "INSTEAD", "OF", "EACH", "ROW", "WHEN", "END",
    "REFERENCES", "PRIMARY", "KEY", "UNIQUE", "CHECK", "DEFAULT", "GENERATED", "ALWAYS", "STORED", "WITHOUT",
    "ROWID", "STRICT", "USING", "fts5", "fts4", "rtree", "RAISE", "load_extension('x')", "writefile", "CASCADE",
    "COLLATE", "CAST", "CASE", "THEN", "ELSE", "OVER", "PARTITION", "FILTER", "MATERIALIZED", "INDEXED", "DISTINCT",
    "CONSTRAINT", "FOREIGN",
]  # fmt: skip
GLUE = [
    ";", "; ", "/**/", "-- \n", "\n", "\t", "\x0c", "(", ")", ",", ".", "*", "'", '"', "`", "[", "]", "/*", "*/",
    "--", "?", ":a", "$x(", "\ufeff", "\xa0", "\x00", "0x", "'x'", "1", "''", "=", "\u2028", "END;", "'; --",
]  # fmt: skip
SEEDS = [case.sql for path in sorted(FOLDER.glob("*.sql")) for case in read_cases(path) if len(case.sql) < 2_000]


def mutant(dice: random.Random) -> str:
    tokens = TOKEN.findall(dice.choice(SEEDS))
    for _ in range(dice.choice((1, 1, 2, 3, 5))):
        at = dice.randrange(len(tokens) + 1)
        change = dice.randrange(8)
        if change == 0 and tokens:
            del tokens[min(at, len(tokens) - 1)]
        elif change == 1:
            tokens.insert(at, f" {dice.choice(NAMES)} ")
        elif change == 2:
            tokens.insert(at, f" {dice.choice(WORDS)} ")
        elif change == 3:
            tokens.insert(at, dice.choice(GLUE))
        elif change == 4 and tokens:
            names = [n for n, token in enumerate(tokens) if re.fullmatch(r"[A-Za-z_]\w*", token)]
            if names:
                tokens[dice.choice(names)] = dice.choice(NAMES)
        elif change == 5:
            other = TOKEN.findall(dice.choice(SEEDS))
            start = dice.randrange(len(other) + 1)
            tokens[at:at] = other[start : start + dice.randrange(1, 12)]
        elif change == 6 and tokens:
            one, two = dice.randrange(len(tokens)), dice.randrange(len(tokens))
            tokens[one], tokens[two] = tokens[two], tokens[one]
        elif tokens:
            one = min(at, len(tokens) - 1)
            tokens[one] = dice.choice((tokens[one].upper(), tokens[one].lower(), tokens[one] * 2, f"/**/{tokens[one]}"))
    return "".join(tokens)


def hunt(mutants: int, seconds: float, seed: int) -> tuple[Counter[str], list[str]]:
    """Submit mutants; the counts of their verdicts, and what went wrong, as text."""
    dice, verdicts, findings = random.Random(seed), Counter[str](), []
    ends_at = time.monotonic() + seconds
    done = 0
    while done < mutants and time.monotonic() < ends_at:
        with tempfile.TemporaryDirectory() as directory:
            done += _in_one_session(Path(directory), dice, min(250, mutants - done), verdicts, findings)
    return verdicts, findings


def _in_one_session(
    directory: Path, dice: random.Random, mutants: int, verdicts: Counter[str], findings: list[str]
) -> int:
    desk = Desk(directory, Limits(database_bytes=20_000_000))
    started = [0.0]
    desk.connection.set_progress_handler(lambda: time.monotonic() > started[0] + 0.5, 1_000, id="fuzz")
    for done in range(1, mutants + 1):
        sql = mutant(dice)
        started[0] = time.monotonic()
        try:
            verdict = desk.submit(sql).verdict
        except CodemodeError as error:
            findings.append(f"not answered by the desk: {sql!r}: {error!r}")
            break
        except KeyError:
            continue  # :a without a value
        verdicts[verdict[0]] += 1
        if time.monotonic() > started[0] + 5:
            findings.append(f"took {time.monotonic() - started[0]:.1f} s: {sql!r}")
        if verdict[0] == "allowed":
            verdicts[f"allowed {verdict[1]}"] += 1
            kind = scan.heading(sql.removeprefix("\ufeff")).kind
            if verdict[1] not in (kind, "explain"):
                findings.append(f"ran as {verdict[1]} and begins as {kind}: {sql!r}")
        if desk.engine_hash() != desk.before:
            findings.append(f"changed what is the engine's: {sql!r}")
            break
        if done % 50 == 0:
            _replenish(desk)
    desk.close()
    return done


def _replenish(desk: Desk) -> None:
    """Give the session its tables back: mutants drop them, and statements on nothing find nothing."""
    for sql in USER_SQL[:7]:
        desk.submit(sql)


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=float, default=60.0)
    options.add_argument("--mutants", type=int, default=10**9)
    options.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    chosen = options.parse_args()
    counts, found = hunt(chosen.mutants, chosen.seconds, chosen.seed)
    print(f"seed {chosen.seed}:", dict(counts.most_common()))
    print("\n".join(found) or "nothing found")
