"""The names by which compiled snippets reach their guards: no identifiers, so that no source text can name them."""

from __future__ import annotations

READ = "<read>"
CLASS = "<class of>"  # the real type(), which the compiled checks ask
TYPE = "<type>"  # what `type(x)` gives a snippet
GETATTR, HASATTR = "<getattr>", "<hasattr>"  # the real ones, for names that were judged when the call was compiled
OWN = "<own classes>"
ALLOWED = "<allowed>"  # private names → the classes on whose instances each was found to be the snippet's own
WRITE = "<write>"  # a constant plain name
WRITE_CHECKED = "<write checked>"  # any other
AWAIT = "<await>"
SUBJECT = "<subject>"  # a local name for an object that is looked at twice
MADE = "<made>"  # the mark that every class of the snippet carries


def allowed(name: str) -> str:
    """The name of the set of classes on whose instances the private name is the snippet's own."""
    return f"<allowed {name}>"


# Under this key, in the class's namespace. The prefix keeps typing.Protocol from taking it for a member.
MADE_KEY = "_abc_<made>"
