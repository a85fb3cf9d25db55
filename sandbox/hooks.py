"""The names by which compiled snippets reach their guards: no identifiers, so that no source text can name them."""

from __future__ import annotations

READ = "<read>"
WRITE = "<write>"  # a constant plain name
WRITE_CHECKED = "<write checked>"  # any other
AWAIT = "<await>"
MADE = "<made>"  # the mark that every class of the snippet carries

# Under this key, in the class's namespace. The prefix keeps typing.Protocol from taking it for a member.
MADE_KEY = "_abc_<made>"
