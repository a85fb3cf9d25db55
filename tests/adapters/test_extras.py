"""An adapter whose framework is not installed says which extra brings it; the others do without."""

from __future__ import annotations

import importlib
import subprocess
import sys
import tomllib
from pathlib import Path
from unittest import mock

import pytest

from codemode.errors import ExtraMissing

ADAPTERS = {
    "fastmcp": "fastmcp.exceptions",
    "langchain": "langchain_core.tools",
    "pydantic_ai": "pydantic_ai",
    "smolagents": "smolagents.local_python_executor",
}
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_a_missing_framework_names_the_extra(adapter: str):
    module = f"codemode.adapters.{adapter}"
    with mock.patch.dict(sys.modules, {ADAPTERS[adapter]: None}):
        sys.modules.pop(module, None)
        with pytest.raises(ExtraMissing) as caught:
            importlib.import_module(module)
    assert isinstance(caught.value, ImportError)
    extra = adapter.replace("_", "-")
    assert caught.value.hint == f"pip install 'codemode[{extra}]'"
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert extra in extras
    assert any(extra in line for line in extras["dev"])


def test_the_tools_need_no_framework_and_no_database():
    code = "import codemode.adapters, sys; print(*sys.modules)"
    loaded = set(
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    )
    assert "codemode.adapters.tools" in loaded
    assert not loaded & {"apsw", "sqlglot", "pydantic", "langchain_core", "pydantic_ai", "smolagents", "fastmcp"}
