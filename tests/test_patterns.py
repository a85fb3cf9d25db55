"""Regular expressions that are compiled when they are first used, and then are what `re.compile` makes."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from codemode.patterns import pattern


def test_a_pattern_does_what_a_compiled_one_does() -> None:
    text, words = r"(?P<first>[a-z])[a-z]+", "Two words, three"
    for made in (pattern(text, re.IGNORECASE), re.compile(text, re.IGNORECASE)):
        assert [found["first"] for found in made.finditer(words)] == ["T", "w", "t"]
        assert made.sub("-", words) == "- -, -"
        assert made.fullmatch(words) is None
        assert (made.pattern, made.groups) == (text, 1)
        match = made.match(words, 4)
        assert match is not None
        assert match.span() == (4, 9)


def test_a_wrong_one_is_told_at_its_first_use() -> None:
    made = pattern("(")
    with pytest.raises(re.error):
        made.match("")


def test_loading_a_worker_compiles_none_of_its_own() -> None:
    code = (
        "import re, sys; made = re.compile\n"
        "def noted(text, flags=0):\n"
        "    who = sys._getframe(1).f_globals['__name__']\n"
        "    if who.startswith('codemode'): print(who, text)\n"
        "    return made(text, flags)\n"
        "re.compile = noted\n"
        "import codemode.worker"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == ""
