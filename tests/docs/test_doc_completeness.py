"""Nothing that users meet is missing from the reference, and the reference has nothing that is not there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from doc_pages import ROOT, headings, pages

from codemode import Limits, Outcome, Session, adapters
from codemode.adapters.tools import TOOLS
from codemode.cli import COMMANDS
from codemode.errors import every_error
from codemode.session.request import RunOptions
from codemode.settings import keys
from codemode.values import DatabaseUse, Problem, ResultInfo, Usage
from sandbox.helpers import Database, Schema

REFERENCE = ROOT / "docs" / "reference"
CODE = re.compile(r"[\"'](code\.[a-z_]+)[\"']")


def text(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def codes_in_the_sources() -> set[str]:
    found = {kind.code for kind in every_error()}
    for package in ("codemode", "sandbox"):
        for source in (ROOT / package).rglob("*.py"):
            found |= set(CODE.findall(source.read_text(encoding="utf-8")))
    return found


def test_each_error_code_has_a_section_and_each_section_a_code():
    sections = {heading for heading in headings(REFERENCE / "errors.md") if re.fullmatch(r"[a-z]+\.[a-z_]+", heading)}
    assert sections == codes_in_the_sources()


def test_each_limit_has_a_section_and_each_section_a_limit():
    between = text("docs/reference/limits.md").split("## What happens when one is met")[1].split("\n## ")[0]
    assert re.findall(r"^### (\w+)$", between, re.MULTILINE) == list(Limits.__struct_fields__)


@pytest.mark.parametrize("field", [f for f in keys() if not f.startswith("limits.")])
def test_each_setting_is_in_the_reference(field: str):
    assert f"| `{field}` |" in text("docs/reference/settings.md")


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_a_section(command: str):
    assert f"codemode {command}" in headings(REFERENCE / "command-line.md")


@pytest.mark.parametrize("struct", [Outcome, ResultInfo, DatabaseUse, Usage, Problem])
def test_each_field_of_an_outcome_is_explained(struct: type):
    rows = [line for line in text("docs/reference/python.md").splitlines() if line.startswith("| `")]
    explained = {name for row in rows for name in re.findall(r"`(\w+)`", row.split("|")[1])}
    assert explained >= set(struct.__struct_fields__)


def test_the_host_has_every_call():
    calls = {name for owner in (Database, Schema) for name in vars(owner) if not name.startswith("_")}
    assert calls <= set(dir(Session))


def test_help_of_run_names_every_option():
    assert set(re.findall(r"`(\w+)`", Session.run.__doc__ or "")) >= set(RunOptions.__annotations__)


def test_every_module_is_in_the_picture_and_every_one_in_it_exists():
    drawn = []
    for part in text("docs/reference/source.md").split("\n### ")[1:]:
        package, _, below = part.partition("\n")
        drawn += [f"{package}/{name}" for name in ["__init__.py", *re.findall(r"^- `(\w+\.py)`", below, re.MULTILINE)]]
    modules = [
        str(path.relative_to(ROOT)) for package in ("codemode", "sandbox") for path in (ROOT / package).rglob("*.py")
    ]
    assert sorted(drawn) == sorted(modules)


@pytest.mark.parametrize("part", sorted(path.parent for path in (ROOT / "codemode").glob("*/__init__.py")))
def test_each_part_of_the_worker_is_in_the_overview(part):
    assert f"`codemode/{part.name}/`" in text("docs/explanation/architecture.md")


@pytest.mark.parametrize("page", sorted((ROOT / "docs" / "explanation").glob("*.md")), ids=lambda page: page.stem)
def test_files_that_an_explanation_names_exist(page):
    for path in re.findall(
        r"`((?:codemode|sandbox|tests|docs|benchmarks)/[\w./-]+)`", page.read_text(encoding="utf-8")
    ):
        assert (ROOT / path).exists(), path


def test_no_page_has_the_marks_of_an_unfinished_merge():
    for page in pages():
        assert not re.search(r"^(<{7}|={7}$|>{7})", page.read_text(encoding="utf-8"), re.MULTILINE), page


def test_the_readme_names_every_page_of_the_reference():
    for page in REFERENCE.glob("*.md"):
        assert f"docs/reference/{page.name}" in text("README.md")


def test_each_adapter_and_each_of_its_tools_is_in_the_reference():
    page = text("docs/reference/python.md").split("\n## Adapters")[1].split("\n## ")[0]
    files = {path.stem for path in (ROOT / "codemode" / "adapters").glob("*.py")}
    frameworks = files - {"__init__", "answer", "dispatch", "session", "tools"}
    assert all(f"`codemode.adapters.{name}`:" in page for name in frameworks)
    assert all(f"{name}(" in page for name in adapters.__all__ if name not in ("AnySession", "Answer"))
    assert re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE) == list(TOOLS)
    for name in frameworks:
        assert f"docs/how-to/use-with-{name.replace('_', '-')}.md" in text("README.md")


def test_the_changelog_begins_with_the_version_that_this_is():
    import codemode

    versions = re.findall(r"^## (\d+\.\d+\.\d+)", text("CHANGELOG.md"), re.MULTILINE)
    assert versions[0] == codemode.__version__
    assert versions == sorted(versions, key=lambda v: tuple(map(int, v.split("."))), reverse=True)


NEEDED = {
    "serve": r'"serve"|codemode serve(?! --help)',
    "client": r"import httpx2|from codemode import .*Client",
    "mcp": r"from mcp|codemode mcp",
    "seal": r"SECRET_KEYS",
    "postgres": r"CODEMODE_CATALOG=postgresql",
}


@pytest.mark.parametrize("page", [page for page in pages() if page.parent.name == "how-to"], ids=lambda page: page.stem)
def test_a_how_to_names_the_extras_that_its_commands_need(page: Path):
    whole = page.read_text(encoding="utf-8")
    typed = "\n".join(re.findall(r"(?ms)^```(?:python|console|sh).*?^```", whole))
    named = {extra for extras in re.findall(r"codemode\[([\w,-]+)\]", whole) for extra in extras.split(",")}
    assert {extra for extra, sign in NEEDED.items() if re.search(sign, typed)} <= named
