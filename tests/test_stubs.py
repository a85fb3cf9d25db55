"""The stub file is what snippets really see, and type checkers accept it."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from codemode import stubs
from codemode.interface import CLASSES, calls, members, types
from sandbox.helpers import Builders, Database, HelperError, Helpers, Rows, Schema
from sandbox.helpers.pages import Pages

GOOD = """
import helpers

helpers.db.create_table("note", {"id": "INTEGER PRIMARY KEY", "text": "TEXT"}, if_not_exists=True)
helpers.db.batch_insert("note", ({"id": n, "text": str(n)} for n in range(3)), on_conflict="ignore")
try:
    rows = helpers.db.query(helpers.sql.count_by("note", "text", limit=2), ())
except helpers.Error as error:
    raise ValueError(error.code, error.suggestion or error.hint or "", error.available)
names: list[str] = helpers.schema.get_tables() + rows.columns
total = 0
with helpers.db.pages("SELECT * FROM note", size=2) as pages:
    for page in pages:
        total += len(page) + page.row_count
first = helpers.db.query_one("SELECT * FROM note")
described = helpers.schema.describe_table("note")
result = [helpers.host.lookup("x", limit=3), first, described.row_count, described["columns"], names, total]
"""
WRONG = {
    'helpers.db.querry("SELECT 1")': '"Database" has no attribute "querry"; maybe "query"?',
    'helpers.db.batchInsert("t", [])': '"Database" has no attribute "batchInsert"; maybe "batch_insert"',
    "helpers.db.query(1)": 'incompatible type "int"; expected "str"',
    'helpers.db.query_one("SELECT 1")["a"]': "is not indexable",
    'helpers.sql.top_n("t", "a")': 'Missing positional argument "n"',
    'helpers.db.query("SELECT 1").colums': '"Rows" has no attribute "colums"; maybe "columns"?',
}


def mypy(folder: Path, *files: str) -> subprocess.CompletedProcess[str]:
    (folder / "helpers.pyi").write_text(stubs.stubs(), encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--cache-dir", str(folder / "cache"), *files]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=300)


def test_a_type_checker_accepts_the_stubs_and_a_good_snippet_and_no_wrong_one(tmp_path: Path):
    (tmp_path / "good.py").write_text(GOOD, encoding="utf-8")
    (tmp_path / "wrong.py").write_text("\n".join(["import helpers", *WRONG]), encoding="utf-8")
    found = mypy(tmp_path, "helpers.pyi", "good.py")
    assert found.returncode == 0, found.stdout + found.stderr
    complaints = mypy(tmp_path, "wrong.py").stdout
    for line, expected in enumerate(WRONG.values(), 2):
        assert any(expected in text for text in complaints.splitlines() if text.startswith(f"wrong.py:{line}:")), (
            f"line {line}: {complaints}"
        )


def test_the_good_snippet_runs(session):
    outcome = session.run(GOOD, functions={"lookup": lambda name, limit: f"{name}{limit}"})
    assert outcome.ok, outcome.error
    assert outcome.result[0] == "x3"
    assert outcome.result[2] == 3


@pytest.mark.parametrize("owner", [Database, Schema, Builders, Pages])
def test_every_public_call_is_in_the_stubs(owner: type):
    tree = ast.parse(stubs.stubs())
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    shown = {node.name for node in classes[owner.__name__].body if isinstance(node, ast.FunctionDef)}
    public = {name for name in vars(owner) if not name.startswith("_") and callable(getattr(owner, name))}
    assert public <= shown


def test_every_attribute_of_an_error_is_in_the_stubs():
    (shown,) = (kind for kind in types() if kind.name == "Error")
    assert list(shown.attributes) == list(vars(HelperError("text")))


def test_every_call_of_the_stubs_has_a_docstring_of_one_line():
    for node in ast.walk(ast.parse(stubs.stubs())):
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("__"):
            doc = ast.get_docstring(node)
            assert doc, node.name
            assert "\n" not in doc, node.name


def test_the_members_of_helpers_are_all_told():
    assert sorted([*members(), "Error", "warnings"]) == sorted(n for n in dir(Helpers) if not n.startswith("_"))


def test_calls_are_told_as_data_with_types_and_defaults():
    found = {call.name: call for call in calls()}
    insert = found["helpers.db.batch_insert"]
    assert [(p.name, p.type, p.default) for p in insert.parameters][:4] == [
        ("table", "str", None),
        ("records", "Iterable[Any]", None),
        ("columns", "Iterable[str] | None", "None"),
        ("on_conflict", "str", "'error'"),
    ]
    assert insert.returns == "Answer"
    assert "on_conflict" in insert.doc
    assert {kind.name for kind in types()} == set(CLASSES)
    rows = next(kind for kind in types() if kind.name == "Rows")
    assert set(rows.attributes) == set(Rows.__slots__)


def test_a_name_that_the_stubs_do_not_know_is_noticed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(Rows.__annotations__, "extra", "Unheard")
    with pytest.raises(LookupError, match="Unheard"):
        stubs.stubs()
