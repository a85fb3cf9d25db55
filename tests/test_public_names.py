from __future__ import annotations

import subprocess
import sys

import pytest

import codemode
import sandbox


@pytest.mark.parametrize("package", [codemode, sandbox])
def test_the_public_names_are_sorted(package):
    assert package.__all__ == sorted(package.__all__)
    assert len(set(package.__all__)) == len(package.__all__)


@pytest.mark.parametrize("package", [codemode, sandbox])
def test_every_public_name_can_be_imported(package):
    for name in package.__all__:
        assert getattr(package, name) is not None


def test_dir_shows_the_public_names():
    assert dir(codemode) == sorted(codemode.__all__)


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="Wroker"):
        codemode.Wroker  # noqa: B018
    with pytest.raises(ImportError):
        from codemode import Wroker  # noqa: F401


WITHOUT_HTTPX2 = """
import sys
sys.modules["httpx2"] = None  # as if it were not installed
try:
    from codemode import {}
except ImportError as error:
    print(error.code, error.hint)
"""


@pytest.mark.parametrize("name", ["Client", "AsyncClient"])
def test_a_client_without_its_packages_names_the_extra(name: str):
    command = [sys.executable, "-c", WITHOUT_HTTPX2.format(name)]
    told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    assert told == "worker.extra pip install 'codemode[client]'\n"


OF_NO_SNIPPET = {
    *("asyncio", "csv", "email", "gzip", "http", "importlib.metadata", "multiprocessing", "sqlite3", "ssl", "tempfile"),
    *("RestrictedPython", "httpx2", "mcp", "psycopg", "pydantic", "rich", "sqlglot", "starlette"),
    *("codemode.database.diff", "codemode.database.transfer", "codemode.session.backups", "codemode.session.loading"),
    *("codemode.guard.mending", "codemode.guard.ways", "sandbox.helpers", "sandbox.policy", "sandbox.spilling"),
}


@pytest.mark.parametrize(
    ("statement", "heavy"),
    [
        ("import codemode", {"apsw", "sqlglot", "RestrictedPython", "click", "rich"}),
        ("import codemode.errors", {"apsw", "sqlglot", "RestrictedPython", "click", "rich"}),
        ("from codemode import Limits, Settings", {"apsw", "sqlglot", "RestrictedPython", "click", "rich"}),
        # What `codemode run` loads beside its sandbox, which takes as long.
        ("import codemode.cli, codemode.cli.run, codemode.worker", OF_NO_SNIPPET),
        # What is loaded before the sandbox's interpreter is started.
        ("import codemode.__main__; from sandbox import interpreter", {"enum", "re", "socket", "subprocess", "typing"}),
        # Help for `codemode run` starts no interpreter for a snippet.
        (
            (
                "import codemode.__main__ as m, contextlib as c, io; sys.argv = ['codemode', 'run', '-h']\n"
                "with c.redirect_stdout(io.StringIO()), c.suppress(SystemExit): m.main()"
            ),
            {"sandbox.interpreter", "subprocess", "codemode.worker"},
        ),
        # What `codemode --help` loads: every command.
        (
            "from codemode.cli import COMMANDS, main as m; [m.get_command(None, name) for name in COMMANDS]",
            OF_NO_SNIPPET | {"apsw", "hashlib", "msgspec", "sandbox", "subprocess", "codemode.worker"},
        ),
        ("import codemode.api.app, codemode.cluster.faces as f; f.mounts()", {"mcp", "pydantic", "sqlglot", "click"}),
    ],
)
def test_importing_loads_only_what_is_needed_at_once(statement: str, heavy: set[str]):
    code = f"import sys\n{statement}\nprint(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
