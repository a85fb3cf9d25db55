"""Mutates valid statements token by token and submits them: what is accepted may not harm the engine's own, and what
the guard says of a statement may not part from what SQLite reports of it.

`make fuzz` runs it for as long as wanted; test_mutants.py runs a fixed number. A finding is printed as the text that
makes it; the seed, which is printed too, repeats the whole run.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))  # run as a program, from wherever

from guard_desk import USER_SQL, Desk
from sql_cases import FOLDER, read_cases
from witness import Witness

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
_LOOK_EVERY = 10  # mutants: the look costs as much as two of them


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
    """Submit mutants for so many seconds of processor time; the counts of their verdicts, and what went wrong."""
    dice, counts, findings = random.Random(seed), Counter[str](mutants=0), []
    ends_at = time.process_time() + seconds
    while counts["mutants"] < mutants and time.process_time() < ends_at:
        with tempfile.TemporaryDirectory() as directory:
            _in_one_session(Path(directory), dice, min(250, mutants - counts["mutants"]), counts, findings)
    return counts, findings


def _in_one_session(
    directory: Path, dice: random.Random, mutants: int, counts: Counter[str], findings: list[str]
) -> None:
    desk = Desk(directory, Limits(database_bytes=20_000_000))
    witness = Witness(desk)
    started = [0.0]
    unseen: list[str] = []  # after which nobody has looked at the engine's own
    desk.connection.set_progress_handler(lambda: time.thread_time() > started[0] + 0.5, 1_000, id="fuzz")
    for number in range(1, mutants + 1):
        sql = mutant(dice)
        counts["mutants"] += 1
        started[0] = time.thread_time()
        try:
            faults = judged(desk, witness, sql, counts)
        except Exception as error:  # outside the tree, or raised where the desk expects none
            findings.append(f"not answered by the desk: {sql!r}: {error!r}")
            break
        if time.thread_time() > started[0] + 5:
            faults.append(f"took {time.thread_time() - started[0]:.1f} s")
        findings += [f"{fault}: {sql!r}" for fault in faults]
        unseen.append(sql)
        if len(unseen) == _LOOK_EVERY or number == mutants or faults:
            if desk.engine_hash() != desk.before:
                faults.append(f"one of these changed what is the engine's: {unseen!r}")
                findings.append(faults[-1])
            unseen.clear()
        if faults:
            break  # the session is no longer what the next mutant would be judged by
        if number % 50 == 0:
            _replenish(desk, witness)
    witness.close()
    desk.close()


def judged(desk: Desk, witness: Witness, sql: str, counts: Counter[str]) -> list[str]:
    """Submit one mutant, count its verdict, and answer what is wrong with it."""
    result = desk.submit(sql, _Unbound())
    verdict = result.verdict
    counts[verdict[0]] += 1
    faults = witness.objections(sql, result)
    if verdict[0] == "allowed":
        counts[f"allowed {verdict[1]}"] += 1
        kind = scan.heading(sql.removeprefix("\ufeff")).kind
        if verdict[1] not in (kind, "explain"):
            faults.append(f"ran as {verdict[1]} and begins as {kind}")
    witness.begin()  # after a failed one too: the rows that it wrote before it was undone are not the next one's
    return faults


class _Unbound(dict[str, None]):
    """Every parameter that a mutant happens to have is NULL."""

    def __missing__(self, name: str) -> None:
        return None


def _replenish(desk: Desk, witness: Witness) -> None:
    """Give the session its tables back: mutants drop them, and statements on nothing find nothing."""
    for sql in USER_SQL[:7]:
        desk.submit(sql)
    witness.begin()


def main() -> int:
    """Hunt until the count or the time is reached; the last line is the outcome as JSON."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=float, default=60.0)
    options.add_argument("--mutants", type=int, default=10**9)
    options.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    chosen = options.parse_args()
    print(f"seed {chosen.seed}", flush=True)
    counts, findings = hunt(chosen.mutants, chosen.seconds, chosen.seed)
    print("\n".join(findings) or "nothing found")
    print(json.dumps({"seed": chosen.seed, "counts": dict(counts.most_common()), "findings": findings}))
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
