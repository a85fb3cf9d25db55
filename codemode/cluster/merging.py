"""What only all workers together know: their figures, side by side."""

from __future__ import annotations

from collections.abc import Mapping

# Gauges of what all workers share: once is enough, and their sum would be wrong.
SHARED = frozenset(
    ("codemode_build_info", "codemode_sessions", "codemode_data_free_bytes",
     "codemode_last_backup_timestamp_seconds", "codemode_backup_failing")
)  # fmt: skip
REQUESTS = "codemode_http_requests_total"


def exposition(
    answers: Mapping[str, bytes], restarts: Mapping[str, int], refused: Mapping[tuple[str, str], int]
) -> bytes:
    """`/metrics` of a service: the samples of every worker with its name as a label, each family told once.

    What they share is told once without a name. `restarts` is how often each worker was replaced or restarted,
    `refused` the requests that no worker answered, by operation and class of status.
    """
    families: dict[str, list[str]] = {}
    seen: set[str] = set()
    for worker, text in answers.items():
        name = ""
        for line in text.decode().splitlines():
            if line.startswith("# "):
                name = line.split(" ", 3)[2]
                if line not in seen:
                    families.setdefault(name, []).append(line)
                    seen.add(line)
            elif name not in SHARED:
                families[name].append(_labelled(line, worker))
            elif worker == min(answers):
                families[name].append(line)
    families.setdefault(REQUESTS, []).extend(
        f'{REQUESTS}{{worker="front",operation="{operation}",status="{status}"}} {number}'
        for (operation, status), number in sorted(refused.items())
    )
    families["codemode_worker_restarts"] = [
        "# HELP codemode_worker_restarts_total Processes that took the place of another one, by worker.",
        "# TYPE codemode_worker_restarts_total counter",
        *(f'codemode_worker_restarts_total{{worker="{worker}"}} {number}' for worker, number in restarts.items()),
    ]
    return "".join(f"{line}\n" for lines in families.values() for line in lines).encode()


def _labelled(sample: str, worker: str) -> str:
    """A sample of the text format with one more label: `name{a="b"} 1` or `name 1`."""
    name, brace, rest = sample.partition("{")
    if brace and " " not in name:
        return f'{name}{{worker="{worker}"{"" if rest.startswith("}") else ","}{rest}'
    name, _, value = sample.partition(" ")
    return f'{name}{{worker="{worker}"}} {value}'
