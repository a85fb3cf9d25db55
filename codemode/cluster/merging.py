"""What only all workers together know: their figures, added up or side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from codemode.plain import encode
from codemode.values import Totals


def stats(answers: Mapping[str, bytes]) -> bytes:
    """`/v1/stats` of a service from those of its workers: `usage` is what ran in each, the rest they all share."""
    documents: list[dict[str, Any]] = [msgspec.json.decode(each) for each in answers.values()]
    total = Totals()
    for each in documents:
        total = total.plus(msgspec.convert(each["usage"], Totals))
    return encode(documents[0] | {"usage": msgspec.to_builtins(total)})


def exposition(answers: Mapping[str, bytes]) -> bytes:
    """`/metrics` of a service: the samples of every worker with its name as a label, each family told once."""
    families: dict[str, tuple[list[str], list[str]]] = {}
    for worker, text in answers.items():
        name = ""
        for line in text.decode().splitlines():
            if line.startswith("#"):
                _, kind, name, *_ = line.split(" ", 3)
                about, _ = families.setdefault(name, ([], []))
                if not any(known.startswith(f"# {kind} ") for known in about):
                    about.append(line)
            elif line:
                families.setdefault(name, ([], []))[1].append(_labelled(line, worker))
    lines = [line for about, samples in families.values() for line in (*about, *samples)]
    return "".join(f"{line}\n" for line in lines).encode()


def _labelled(sample: str, worker: str) -> str:
    """A sample of the text format with one more label: `name{a="b"} 1` or `name 1`."""
    name, brace, rest = sample.partition("{")
    if brace and " " not in name:
        return f'{name}{{worker="{worker}"{"" if rest.startswith("}") else ","}{rest}'
    name, _, value = sample.partition(" ")
    return f'{name}{{worker="{worker}"}} {value}'
