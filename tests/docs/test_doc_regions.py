from __future__ import annotations

import sys
from pathlib import Path

import pytest
from doc_pages import ROOT, name, pages

sys.path.insert(0, str(ROOT / "docs"))

import generate
import regions
from wording import fields, wrapped

from codemode.api.data import QueryBody

PAGES = {name(page): page for page in pages() if "<!-- generated:" in page.read_text(encoding="utf-8")}


@pytest.mark.parametrize("page", PAGES)
def test_what_is_generated_is_up_to_date(page: str):
    if page == "docs/reference/modules.md" and sys.version_info[:2] != (3, 11):
        pytest.skip("the listed names are those of the oldest Python that is supported")
    text = PAGES[page].read_text(encoding="utf-8")
    assert generate.regenerated(text) == text, "run `make docs`"


@pytest.mark.parametrize("name", regions.FILES)
def test_what_is_generated_whole_is_up_to_date(name: str):
    assert (ROOT / name).read_text(encoding="utf-8") == regions.FILES[name](), "run `make docs`"


def test_a_stale_region_is_noticed():
    page = "before\n\n<!-- generated: limits -->\n\nold\n\n<!-- /generated -->\n\nafter\n"
    fresh = generate.regenerated(page)
    assert fresh != page
    assert "`rows`" in fresh
    assert (fresh[:7], fresh[-7:]) == ("before\n", "\nafter\n")


@pytest.mark.parametrize("page", generate.pages(), ids=name)
def test_no_paragraph_has_a_line_over_120_columns(page: Path):
    text = page.read_text(encoding="utf-8")
    assert wrapped(text) == text, "run `make docs`"


def test_paragraphs_and_items_are_filled_and_nothing_else():
    words = "word " * 30
    fixed = f"# {words}\n\n| {words}|\n\n```text\n{words}\n```\n\nshort\nlines\n"
    item = "- `" + "name " * 20 + "` " + words
    page = f"{fixed}\n{words.strip()}\nend\n- short\n{item.strip()}\n  end 1. - end\n"
    found = wrapped(page)
    assert found.startswith(fixed)
    assert found.removeprefix(fixed).split("\n") == [
        "",
        ("word " * 24).strip(),
        "word word word word word word end",
        "- short",
        "- `" + "name " * 20 + "` word word word",
        ("  " + "word " * 23).rstrip(),
        "  word word word word end 1. - end",
        "",
    ]
    assert wrapped(found) == found


def test_the_fields_of_a_struct_are_told_with_those_that_it_inherits():
    assert list(fields(QueryBody)) == [
        ("sql", "str", ""),
        ("params", "list[Any] | dict[str, Any]", "`[]`"),
        ("read_only", "bool", "`True`"),
        ("first", "bool", "`False`"),
    ]
