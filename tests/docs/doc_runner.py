"""Run the code blocks of one page, in order, in a directory of their own."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
from doc_pages import ROOT, Block, matches

from codemode import Session, Worker
from codemode.errors import StatementRefused

UNHURRIED = Path(__file__).with_name("unhurried.py")


class PageRunner:
    """The state that a page's blocks share: a namespace, a directory, a session."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.names: dict[str, Any] = {"__name__": "__main__"}
        self.exported: dict[str, str] = {}
        self._worker: Worker | None = None
        self._session: Session | None = None

    @property
    def session(self) -> Session:
        if isinstance(self.names.get("session"), Session):
            return self.names["session"]
        if self._session is None:
            self._worker = Worker(self.folder / "page-data")
            self._session = self._worker.session("page")
        return self._session

    def close(self) -> None:
        for found in [self._worker, *self.names.values()]:
            if isinstance(found, Worker):
                found.close()
            elif isinstance(found, subprocess.Popen):  # of a page that failed before it ended what it started
                with found:
                    found.kill()

    def run(self, block: Block) -> None:
        getattr(self, f"_{block.language}")(block)

    def _python(self, block: Block) -> None:
        file = next((option[5:] for option in block.options if option.startswith("file=")), None)
        if file is not None:
            (self.folder / file).write_text(block.text, encoding="utf-8")
        elif "snippet" in block.options:
            self._snippet(block)
        else:
            printed = io.StringIO()
            code = compile("\n" * (block.line - 1) + block.text, str(block.page), "exec")
            with contextlib.redirect_stdout(printed):
                exec(code, self.names)
            self._compare(block, "text", printed.getvalue())

    def _snippet(self, block: Block) -> None:
        outcome = self.session.run(block.text)
        expected = block.expected.get("json")
        if outcome.error is not None:
            assert expected is not None, f"{block.place}: {outcome.error}"
            found = json.loads(json.dumps(msgspec.to_builtins(outcome.error)))
            wanted = json.loads(expected)
            assert wanted.get("code"), f"{block.place}: a failed snippet is shown with its error's code"
            for key, value in wanted.items():
                shown = found[key]
                same = matches(value, shown) if isinstance(value, str) and isinstance(shown, str) else value == shown
                assert same, f"{block.place}: {key} is {shown!r}, not {value!r}"
        elif expected is not None:
            assert msgspec.to_builtins(outcome.result) == json.loads(expected), f"{block.place}: {outcome.result!r}"
        self._compare(block, "text", outcome.stdout)

    def _sql(self, block: Block) -> None:
        if "refused" not in block.options:
            self.session.script(block.text)
            return
        for statement in block.text.strip().splitlines():
            try:
                self.session.exec(statement)
            except StatementRefused:
                continue
            raise AssertionError(f"{block.place}: {statement} was not refused")

    def _console(self, block: Block) -> None:
        command, expected = "", ""
        for line in [*block.text.splitlines(), "$ "]:
            if line.startswith("$ "):
                if command:
                    self._command(block, command, expected)
                command, expected = line[2:], ""
            elif line.startswith("> ") or line == ">":
                command += "\n" + line[2:]
            else:
                expected += f"{line}\n"

    def _command(self, block: Block, command: str, expected: str) -> None:
        if command.startswith("export "):  # for the commands that follow, as in a shell
            name = command.removeprefix("export ").partition("=")[0]
            words = ["sh", "-c", f'{command}\nprintf %s "${name}"']
            self.exported[name] = subprocess.check_output(words, cwd=self.folder, env=self.environment(), text=True)
            return
        done = subprocess.run(
            ["sh", "-c", command], cwd=self.folder, env=self.environment(), check=False,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120,
        )  # fmt: skip
        assert matches(expected, done.stdout), f"{block.place}: $ {command}\nprinted\n{done.stdout}"

    def environment(self) -> dict[str, str]:
        shims = self.folder / ".bin"
        if not shims.exists():
            shims.mkdir()
            for name, arguments in (("codemode", f'"{UNHURRIED}"'), ("python", "")):
                shim = shims / name
                shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" {arguments} "$@"\n')
                shim.chmod(0o755)
        kept = {key: value for key, value in os.environ.items() if not key.startswith("CODEMODE_")}
        return (
            kept
            | {
                "PATH": f"{shims}:{os.environ['PATH']}",
                "PYTHONPATH": str(ROOT),
                "HOME": str(self.folder),
                "COLUMNS": "100",
            }
            | self.exported
        )

    def _compare(self, block: Block, kind: str, found: str) -> None:
        expected = block.expected.get(kind)
        if expected is not None:
            assert matches(expected, found), f"{block.place} printed\n{found}"
