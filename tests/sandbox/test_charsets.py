"""Encodings in a child: every one that Python has is there, although no file can be opened."""

from __future__ import annotations

import encodings
import json
import pkgutil
import subprocess
import sys

from sandbox import Sandbox, Snippet

# What a name encodes and decodes, or the kind of error; names are the modules', which is what a codec is looked for by.
_TRIED = """
found = {}
for name in names:
    try:
        found[name] = repr("aé漢".encode(name, "replace").decode(name))
    except Exception as error:
        found[name] = type(error).__name__
"""


def test_every_encoding_works_in_a_child_as_it_does_elsewhere() -> None:
    names = [found.name for found in pkgutil.iter_modules(encodings.__path__)]
    here: dict[str, object] = {"names": names}
    exec(_TRIED, here)
    sandbox = Sandbox(children=1)
    try:
        outcome = sandbox.run(
            Snippet(code=f"{_TRIED}\nreturn found", inputs=json.dumps({"names": names})), lambda *_: None
        )
    finally:
        sandbox.close()
    assert outcome.error is None
    assert json.loads(outcome.value_json or "") == here["found"]
    assert len(names) > 100


def test_an_encoding_is_loaded_when_it_is_first_named() -> None:
    # Those that are run by nobody are most of them, and would be a tenth of the time in which a sandbox starts.
    code = (
        "import sys; from sandbox import charsets; charsets.preload(); before = 'encodings.cp437' in sys.modules;"
        "print(before, 'é'.encode('cp437'), sum(name.startswith('encodings.') for name in sys.modules) < 20)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "False b'\\x82' True\n"
