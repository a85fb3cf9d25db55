from __future__ import annotations

import sys

import pytest
from doc_pages import ROOT, name, pages

sys.path.insert(0, str(ROOT / "docs"))

import generate
import regions

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
