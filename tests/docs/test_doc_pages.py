from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from doc_pages import ROOT, anchors, blocks, links, matches, name, pages
from doc_runner import PageRunner
from unhurried import BOUNDS, LONG_SECONDS, Popen

PAGES = {name(page): page for page in pages()}


@pytest.mark.parametrize("page", [label for label, page in PAGES.items() if blocks(page)])
def test_the_code_on_a_page_runs_as_it_says(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for variable in [key for key in os.environ if key.startswith("CODEMODE_")]:
        monkeypatch.delenv(variable)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "benchmarks").symlink_to(ROOT / "benchmarks")
    for module, bound in BOUNDS:
        monkeypatch.setattr(f"{module}.{bound}", LONG_SECONDS)
    monkeypatch.setattr("subprocess.Popen", Popen)
    runner = PageRunner(tmp_path)
    try:
        for block in blocks(PAGES[page]):
            runner.run(block)
    finally:
        runner.close()


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str):
    source = PAGES[page]
    for link in links(source):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, fragment = link.partition("#")
        target = (source.parent / path).resolve() if path else source
        assert target.exists(), f"{page}: {link}"
        assert not fragment or fragment in anchors(target), f"{page}: {link}; there are {sorted(anchors(target))}"


@pytest.mark.parametrize("page", [label for label in PAGES if label.startswith("docs/")])
def test_every_page_can_be_found_from_another(page: str):
    target = PAGES[page]
    linked = {(p.parent / link.partition("#")[0]).resolve() for p in PAGES.values() if p != target for link in links(p)}
    assert target in linked or target.parent in linked


def test_an_ellipsis_stands_for_what_differs_from_run_to_run():
    assert matches("a … c\n…\nlast", "a b c\n1\n2\nlast\n")
    assert matches("a\n…\nb", "a\nb")
    assert not matches("a", "a\nb")
    assert not matches("a … c", "a b d")
