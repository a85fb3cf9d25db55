from __future__ import annotations

import ast
import re
import subprocess
import sys

from codemode.limits import Limits
from codemode.prompt import guide
from sandbox.helpers import Builders, Database, Schema


def test_the_guide_is_short():
    assert len(guide().text.split()) < 900
    assert len(guide(stateful=True).text.split()) - len(guide().text.split()) < 20


def test_every_call_is_in_the_guide():
    text = guide().text
    for owner in (Database, Schema, Builders):
        for name in vars(owner):
            if not name.startswith("_") and name != "metrics":  # the other spelling of get_metrics
                assert f"- `{name}(" in text


def test_every_call_is_described_as_data():
    found = {helper.name: helper for helper in guide().helpers}
    assert found["helpers.db.query"].signature == "query(sql, params=())"
    assert found["helpers.schema.get_tables"].signature == "get_tables()"
    assert all(helper.summary and "\n" not in helper.summary for helper in found.values())
    assert len(found) == len(guide().helpers)


def test_the_limits_are_those_in_force():
    found = guide(Limits(rows=123, memory_bytes=64 * 2**20, value_bytes=1_500))
    assert "123 rows a query answers" in found.text
    assert "64 MiB memory" in found.text
    assert "1,500 bytes one value" in found.text
    assert found.limits["rows"] == 123


def test_the_examples_are_python():
    blocks = re.findall(r"```python\n(.*?)```", guide().text, re.DOTALL)
    assert len(blocks) == 3
    for block in blocks:
        body = "".join(f"    {line}\n" for line in block.splitlines())
        ast.parse(f"def snippet():\n{body}")


def test_it_says_whether_variables_stay():
    assert "variables do not survive" in guide().text
    live = guide(stateful=True).text
    assert "do not survive" not in live
    assert "`variables: fresh`" in live


def test_it_is_whole_where_python_leaves_docstrings_out():
    code = "from codemode.prompt import guide; print(guide().text)"
    told = subprocess.run([sys.executable, "-OO", "-c", code], capture_output=True, text=True, check=True).stdout
    assert told == guide().text + "\n"
