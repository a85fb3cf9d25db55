"""What is said of a snippet that failed: plain, bounded text whatever the exception does."""

# ruff: noqa: E501 - snippets are one string each
from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from sandbox import report
from sandbox.builtins import namespace
from sandbox.compile import SnippetRefused, compile_snippet
from sandbox.evaluate import evaluate
from sandbox.helpers.error import HelperError
from sandbox.serialize import to_json


class Helpers:
    Error = HelperError

    def fail(self) -> None:
        raise HelperError(
            "sql.no_such_column",
            "no such column: x",
            hint="try y",
            did_you_mean=["y"],
            available=["y", "z"],
            sql="select x",
        )


def failure(code: str) -> dict[str, Any]:
    try:
        value = evaluate(compile_snippet(code), namespace(Helpers(), {}, lambda text: None))
        to_json(value, 10_000)
    except BaseException as error:
        described = report.describe(error)
    else:
        raise AssertionError("the snippet did not fail")
    assert len(json.dumps(described)) < 40_000
    return described


@pytest.mark.parametrize("hint", ["5", "object()", "['x']", "b'x'", "'x' * 100_000"])
def test_what_a_snippet_says_of_an_import_is_bounded_text(hint: str) -> None:
    """Any other hint was a breach of the protocol: the snippet's process was ended, and its error was not told."""
    error = failure(f"e = ImportError('mine')\ne.hint = {hint}\nraise e")
    assert error["message"] == "ImportError: mine"
    assert error["hint"] is None or len(error["hint"]) < 3_000
    json.dumps(error)


WRONG_CALLS = {
    "getattr(1)": "TypeError: getattr() missing 1 required positional argument: 'name'",
    "print(1, colour=2)": "TypeError: print() got an unexpected keyword argument 'colour'",
    "import functools\nfunctools.wraps()": "TypeError: wraps() missing 1 required positional argument: 'wrapped'",
    "import asyncio\nasyncio.gather(colour=2)": "TypeError: gather() got an unexpected keyword argument 'colour'",
    "import enum\nenum._x": "AttributeError: module 'enum' has no attribute '_x' in snippets",
    "import sys\nsys._getframe()": "AttributeError: module 'sys' has no attribute '_getframe' in snippets",
    "type + 1": "TypeError: unsupported operand type(s) for +: 'type' and 'int'",
}


@pytest.mark.parametrize("code", WRONG_CALLS)
def test_a_message_has_the_names_that_the_snippet_wrote(code: str) -> None:
    assert failure(code)["message"] == WRONG_CALLS[code]


WAYS_OUT = {
    "f'{None:.2f}'": "something here is None",
    "for row in {'a': 1}:\n    row['a']": "going through a dict gives its keys",
    "import datetime, json\njson.dumps({'at': datetime.date(2013, 1, 1)})": "answer with the value itself",
    "'2013-01-02' - '2013-01-01'": "fromisoformat",
    "raise ValueError(\"time data '2013-01-01T10:00' does not match format '%Y'\")": "fromisoformat",
    "for a, b in [{'x': 1, 'y': 2, 'z': 3}]:\n    pass": "row.values()",
    "n = 1\ndef f():\n    n += 1\nf()": "global name",
    "from codemode import helpers": "helpers is there already",
}


@pytest.mark.parametrize("code", WAYS_OUT)
def test_what_models_do_to_rows_and_dates_has_a_way_out(code: str) -> None:
    assert WAYS_OUT[code] in failure(code)["hint"]


CHANGES = ["['x'] = 2", ".update(x=2)", ".setdefault('y', 2)", ".pop('x')", ".popitem()", ".clear()"]


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_of_globals_says_that_it_has_no_effect(change: str) -> None:
    assert "globals() is a copy here" in failure(f"x = 1\nglobals(){change}")["message"]


@pytest.mark.parametrize("name", ["plain()", "_private()", "_private", "mro()"])
def test_the_line_of_an_attribute_is_the_one_that_its_name_is_on(name: str) -> None:
    problem = failure(
        f"class Query:\n    def where(self):\n        return self\nx = (Query()\n     .where()\n     .{name})\n"
    )
    assert (problem["line"], problem["message"].split(":")[0]) == (6, "AttributeError")


def test_the_line_of_a_private_call_is_the_one_that_its_name_is_on() -> None:
    code = (
        "class Query:\n    def _go(self):\n        return 1 / 0\nquery = Query()\nx = (\n    query\n    ._go(\n    )\n)"
    )
    assert "line 7, in <module>" in failure(code)["traceback"]


def test_line_and_traceback_are_the_snippet_s_own() -> None:
    problem = failure("def f(x):\n    return 1 / x\n\ny = 1\nf(0)\n")
    assert problem["code"] == "code.runtime"
    assert problem["message"] == "ZeroDivisionError: division by zero"
    assert problem["line"] == 2
    assert problem["traceback"].splitlines() == [
        "Traceback (most recent call last):",
        "  line 5, in <module>",
        "    f(0)",
        "  line 2, in f",
        "    return 1 / x",
        "ZeroDivisionError: division by zero",
    ]


def test_the_line_inside_a_library_is_the_call_of_the_snippet() -> None:
    problem = failure("import json\n\njson.loads('{')")
    assert problem["line"] == 3
    assert "decoder.py" not in problem["traceback"]


def test_the_line_in_fenced_text_is_that_of_the_text() -> None:
    assert failure("Look:\n```python\nx = 1\nx / 0\n```")["line"] == 4


def test_a_cause_is_shown() -> None:
    text = failure("try:\n    1/0\nexcept Exception as e:\n    raise ValueError('v') from e")["traceback"]
    assert text.index("ZeroDivisionError") < text.index("direct cause") < text.index("ValueError: v")


MEANT = {
    "variable": ("total = 1\nprint(totl)", "total"),
    "builtin": ("pritn(1)", "print"),
    "javascript": ("x = true", "True"),
    "function of another database": ("print(least(1, 2))", "min"),
    "helpers": ("db.query('x')", "helpers.db"),
    "attribute of a class": ("class A:\n    def compute(self): pass\nA().compte()", "compute"),
    "method of a string": ("'x'.uper()", "upper"),
    "module member": ("import json\njson.dump_s({})", "dumps"),
    "module member of another language": ("import json\njson.parse('1')", "loads"),
    "module member of another library": ("import statistics\nstatistics.average([1])", "mean"),
    "key": ("row = {'name': 1}\nrow['nmae']", "name"),
    "column of a row, as an attribute": ("row = {'title': 1}\nrow.titel", "['title']"),
    "append to a set": ("set().append(1)", "add"),
    "add to a list": ("[].add(1)", "append"),
    "push to a set": ("set().push(1)", "add"),
    "extend a set": ("set().extend([1])", "update"),
    "update a list": ("[].update([1])", "extend"),
    "key in a function": ("def f(row):\n    return row['nmae']\nf({'name': 1})", "name"),
}


@pytest.mark.parametrize(("code", "meant"), MEANT.values(), ids=MEANT.keys())
def test_did_you_mean(code: str, meant: str) -> None:
    problem = failure(code)
    assert problem["did_you_mean"][0] == meant
    assert meant in problem["hint"]


HINTED = {
    "sqlite3": ("import sqlite3", "helpers.db.query"),
    "pandas": ("import pandas as pd", "helpers.sql"),
    "requests": ("import requests", "helpers.host"),
    "os.path": ("import os.path", "no files"),
    "from os": ("from os import path", "no files"),
    "a close name": ("import colections", "did you mean collections?"),
    "exit": ("import sys\nsys.exit(1)", "top-level return"),
    "an attribute of None": ("x = None\nx.name", "found nothing"),
    "an item of None": ("x = None\nx['name']", "found nothing"),
    "a sum with None": ("x = None\nx + 1", "found nothing"),
    "a loop over None": ("for x in None: pass", "found nothing"),
    "rows as a row": ("rows = [{'a': 1}]\nrows['a']", "for row in rows: row['name']"),
    "a variable of an earlier snippet": ("print(df_of_before)", "helpers.db.save_state"),
    "nearly the name of globals": ("print(global_var)", "helpers.db.save_state"),
    "a module that nobody imported": ("math.mean([1])", "import math"),
    "a short one": ("x = re.match('a', 'b')", "import re"),
    "one by its usual name": ("pd.DataFrame([])", "helpers.sql"),
    "one that there is not": ("requests.get('x')", "helpers.host"),
    "JavaScript's contains": ("'abc'.contains('a')", "value in text"),
    "has_key": ("{}.has_key('a')", "key in dict"),
    "append to a dict": ("{}.append(1)", "dict[key] = value"),
    "set of a dict": ("{}.set('a', 1)", "dict[key] = value"),
    "append to a text": ("'a'.append('b')", "a str does not change"),
    "append to a tuple": ("(1,).append(2)", "a tuple does not change"),
    "recursion": ("def f(): return f()\nf()", "recursion"),
    "a name that only Python's own module has": ("from uuid import uuid1", "use uuid.uuid4()"),
    "an attribute that only Python's own module has": ("import types\ntypes.CodeType", "no types.CodeType"),
    "what opens a file": ("import gzip\ngzip.open('x')", "gzip.decompress(data)"),
    "what comes from a command line": ("from sys import argv", "as inputs, by name"),
    "a name of the package below": ("from collections import Mapping", "from collections.abc import Mapping"),
    "a method asked of the module": ("import datetime\ndatetime.today()", "datetime.datetime.today"),
    "a class asked of its namesake": ("from datetime import datetime\ndatetime.timedelta()", "import timedelta"),
    "a function asked of its namesake": ("from time import time\ntime.sleep(1)", "from time import sleep"),
    "a cursor": ("cursor.fetchall()", "the database is open"),
    "a connection": ("conn.execute('SELECT 1').df()", "the database is open"),
    "a coroutine in a sum": ("async def f(): return 1\nx = f()\ntry: x + 1\nfinally: x.close()", "await"),
    "a coroutine as rows": ("async def f(): return [1]\nx = f()\ntry: x[0]\nfinally: x.close()", "await"),
    "an attribute of a coroutine": ("async def f(): return ''\nx = f()\ntry: x.upper()\nfinally: x.close()", "await"),
    "a part of a date": ("'2013-01-05'.year", "datetime.fromisoformat"),
    "a key of JSON": ("x = '{\"a\": 1}'\nx['a']", "json.loads"),
    "JSON as a dict": ("'{\"a\": 1}'.get('a')", "json.loads"),
    "rows as a text of JSON": ("import json\njson.loads([{'a': '{}'}])", "json.loads(row['name'])"),
    "a number by place": ("n = 5\nn[0]", "a number has no parts"),
    "a row in a sum": ("{'n': 1} + 1", "row['name']"),
    "a database opened": ("class Database: pass\nwith Database() as d: pass", "leave with out"),
    "fuzzy matching": ("from rapidfuzz import fuzz", "difflib"),
    "a builtin asked of a module": ("import math\nmath.round(1.5)", "write round(…)"),
}


@pytest.mark.parametrize(("code", "hint"), HINTED.values(), ids=HINTED.keys())
def test_hint(code: str, hint: str) -> None:
    assert hint in failure(code)["hint"]


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="it is Python since then")
@pytest.mark.parametrize(
    "code",
    ['f"{row["name"]}"', "f'{', '.join([])}'", 'f"{x["a"]["b"]} and {y}"', r'f"{"\n".join([])}"', r"f'{x[\'a\']}'"],
)
def test_the_quotes_inside_an_f_string(code: str) -> None:
    assert "other kind of quotes" in failure(f"print({code})")["hint"]


@pytest.mark.parametrize("code", ["from uuid import uuid1", "from enum import EnumMeta", "import re\nre.Scanner"])
def test_what_is_spelt_as_python_has_it_is_no_misspelling(code: str) -> None:
    problem = failure(code)
    assert problem["did_you_mean"] == []
    assert "did you mean" not in problem["message"]


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="it is there since then")
def test_a_name_of_a_newer_python_is_no_misspelling() -> None:
    assert "newer Python than 3.11" in failure("import typing\ntyping.override")["hint"]


def test_a_module_of_the_network_has_the_hint_of_the_others() -> None:
    assert "helpers.host" in failure("import urllib.request")["hint"]
    assert "helpers.host" in failure("import http.client")["hint"]
    assert failure("import urllib.prase")["did_you_mean"] == ["urllib.parse"]


def test_an_unavailable_import_lists_what_there_is() -> None:
    problem = failure("import numpy")
    assert {"json", "math", "asyncio", "urllib.parse"} <= set(problem["available"])
    assert "statistics" in problem["hint"]
    assert problem["message"] == "ModuleNotFoundError: No module named 'numpy' in snippets"
    assert problem["traceback"].endswith(f" in snippets ({problem['hint']})")
    assert failure("import foo")["message"].endswith(f"; available: {', '.join(problem['available'])}")


def test_an_unavailable_import_can_be_caught() -> None:
    code = "try:\n    import numpy as np\nexcept ImportError:\n    np = None\nreturn np is None"
    assert evaluate(compile_snippet(code), namespace(None, {}, lambda text: None)) is True


def test_open_names_what_to_use() -> None:
    assert "helpers.db" in failure("open('/etc/passwd')")["message"]


def test_input_says_nobody_types() -> None:
    assert "inputs" in failure("input('name? ')")["message"]


def test_a_helper_error_keeps_its_fields() -> None:
    problem = failure("x = 1\nhelpers.fail()")
    expected = {
        "code": "sql.no_such_column",
        "hint": "try y",
        "did_you_mean": ["y"],
        "available": ["y", "z"],
        "sql": "select x",
    }
    assert expected.items() <= problem.items()
    assert problem["line"] == 2


def test_memory_error_has_its_own_code() -> None:
    assert failure("raise MemoryError")["code"] == "code.memory"


def test_refusals_have_no_traceback() -> None:
    try:
        compile_snippet("x = 1\neval('1')\nexec('2')")
    except SnippetRefused as refused:
        problem = report.describe(refused)
    assert problem["code"] == "code.refused"
    assert problem["line"] == 2
    assert "line 3" in problem["message"]
    assert problem["traceback"] is None


HOSTILE = {
    "raising text": "class E(Exception):\n    def __str__(self): raise ValueError\nraise E",
    "exiting text": "class E(Exception):\n    def __str__(self): raise SystemExit\nraise E",
    "text that is no text": "class E(Exception):\n    def __str__(self): return 5\nraise E",
    "enormous text": "raise ValueError('x' * 10_000_000)",
    "str subclass as text": (
        "class S(str):\n    def __len__(self): return 1\n    def __getitem__(self, i): raise ValueError\n"
        "class E(Exception):\n    def __str__(self): return S('x' * 100000)\nraise E"
    ),
    "cause of itself": "e = ValueError('v')\ne.__cause__ = e\nraise e",
    "circle of causes": "a, b = ValueError('a'), ValueError('b')\na.__cause__ = b\nb.__cause__ = a\nraise a",
    "long chain": "e = None\nfor i in range(1000):\n    n = ValueError(i)\n    n.__cause__ = e\n    e = n\nraise e",
    "deep recursion": "def f(n): return g(n)\ndef g(n): return f(n + 1)\nf(0)",
    "huge name": "class E(Exception): pass\nE.__name__ = 'N' * 100_000\nraise E",
    "args of nonsense": "raise KeyError(*[[]] * 1000)",
    "helper error with nonsense": "e = helpers.Error('c', 'm')\ne.code = 5\ne.hint = [1]\ne.available = {'a': 1}\nraise e",
    "helper error subclass": (
        "class E(helpers.Error):\n    code = property(lambda s: 1/0, lambda s, v: None)\n    hint = property(lambda s: 1/0, lambda s, v: None)\n"
        "raise E('c', 'm')"
    ),
    "nested group": "raise ExceptionGroup('g', [ValueError('x' * 10000) for _ in range(1000)])",
    "getattr that raises": "class A:\n    def __getattr__(self, n): raise ZeroDivisionError\nA().x",
    "dir that raises": "class A:\n    def __dir__(self): raise ZeroDivisionError\nA().x",
    "keys that raise": (
        "class K(str):\n    def __hash__(self): return 1\n    def __eq__(self, o): raise ZeroDivisionError\nd = {K('a'): 1}\n{}['a']"
    ),
    "generator exit": "raise GeneratorExit",
    "keyboard interrupt": "raise KeyboardInterrupt('x')",
    "surrogates": "raise ValueError('\\ud800')",
    "note that raises": "e = ValueError('v')\ne.add_note('n' * 100000)\nraise e",
}


@pytest.mark.parametrize("code", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_exception_is_reported_all_the_same(code: str) -> None:
    problem = failure(code)
    assert type(problem["code"]) is str
    assert type(problem["message"]) is str
    assert len(problem["message"]) < 3_000
    assert problem["traceback"] is None or len(problem["traceback"]) < 10_000
    assert isinstance(problem["line"], int)
    assert all(type(each) is str for each in [*problem["did_you_mean"], *problem["available"]])
    assert problem["hint"] is None or type(problem["hint"]) is str
