"""One column of a definition: read as other databases write it, written as SQLite takes it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from codemode.guard.mending.expressions import rewritten
from codemode.guard.mending.tokens import changed_outside, closing, following, is_blank, is_text, squeezed, tokens, word

_COUNTING = re.compile(
    r"\b(?:AUTO_INCREMENT|AUTOINCREMENT|IDENTITY(?:\s*\(\s*\d+\s*,\s*\d+\s*\))?"
    r"|GENERATED\s+(?:ALWAYS|BY\s+DEFAULT)\s+AS\s+IDENTITY(?:\s*\([^)]*\))?)(?!\w)",
    re.IGNORECASE,
)
_SERIAL = re.compile(r"(?:SMALL|BIG)?SERIAL\d?", re.IGNORECASE)
_LEFT_OUT = re.compile(
    r"\bCOMMENT\s+'(?:[^']|'')*'|\bCHARACTER\s+SET\s+\w+|\bCHARSET\s+\w+|\bCOLLATE\s+(?!NOCASE|BINARY|RTRIM)[\"\w.]+|\bENCODE\s+\w+",
    re.IGNORECASE,
)
_NOT_CONSTANT = re.compile(r"CURRENT_(?:TIMESTAMP|DATE|TIME)\b|\(", re.IGNORECASE)
_NUMERIC = re.compile(r"INT|REAL|FLOA|DOUB|NUM|DEC|BOOL", re.IGNORECASE)


@dataclass
class Column:
    """A column's name, its type, and what else is said of it."""

    name: str
    kind: str
    rest: str
    default: str | None
    counts: bool

    @classmethod
    def read(cls, item: str) -> Column | None:
        """The column that `item` defines; None where that is not plain."""
        text = _without(_LEFT_OUT, item).strip()
        if re.search(r"\bON\s+UPDATE\s+(?:CURRENT|NOW)", text, re.IGNORECASE):
            return None  # SQLite needs a trigger for it; without, the column would silently stay as it was
        plain = _without(_COUNTING, text)
        counts, parts = plain != text, tokens(plain)
        name, at = parts[0], following(parts, 0)
        kind_end = _type_end(parts, at)
        kind = "".join(parts[at:kind_end]).strip()
        rest, default = _without_default("".join(parts[kind_end:]))
        counts = counts or _SERIAL.fullmatch(kind) is not None
        return cls(name, kind, rest.strip(), default, counts)

    def written(self) -> str:
        """The column as SQLite takes it."""
        if self.counts:
            rest = re.sub(r"\bPRIMARY\s+KEY\b|\bNOT\s+NULL\b|\bUNIQUE\b", "", self.rest, flags=re.IGNORECASE)
            return _joined(self.name, "INTEGER PRIMARY KEY", rest)
        kind, check = _plain_type(self.name, self.kind)
        default = f"DEFAULT {self.default}" if self.default else ""
        return _joined(self.name, kind, self.rest, default, check)

    def added(self, table: str) -> list[str]:
        """The statements that add it to a table which has rows."""
        rest, unique = re.subn(r"\bUNIQUE\b", "", self.rest, flags=re.IGNORECASE)
        if unique:
            index = f"CREATE UNIQUE INDEX {table}_{self.name} ON {table} ({self.name})"
            return [*Column(self.name, self.kind, rest, self.default, self.counts).added(table), index]
        if re.match(r"(?:GENERATED\s+ALWAYS\s+)?AS\s*\(", rest, re.IGNORECASE):
            virtual = re.sub(r"\bSTORED\s*\Z", "VIRTUAL", rest.strip(), flags=re.IGNORECASE)
            return [f"ALTER TABLE {table} ADD COLUMN {_joined(self.name, self.kind, virtual)}"]
        if self.default and _NOT_CONSTANT.match(self.default):
            rest = re.sub(r"\bNOT\s+NULL\b", "", self.rest, flags=re.IGNORECASE)
            plain = Column(self.name, self.kind, rest, None, False).written()
            return [f"ALTER TABLE {table} ADD COLUMN {plain}", f"UPDATE {table} SET {self.name} = {self.default}"]
        default = self.default
        if default is None and re.search(r"\bNOT\s+NULL\b", self.rest, re.IGNORECASE):
            default = "0" if _NUMERIC.search(self.kind) else "''"
        return [f"ALTER TABLE {table} ADD COLUMN {Column(self.name, self.kind, self.rest, default, False).written()}"]


def _without(pattern: re.Pattern[str], text: str) -> str:
    return changed_outside(pattern, lambda _: "", text)


def _joined(*pieces: str) -> str:
    return squeezed(" ".join(filter(None, pieces)))


_KEYWORDS = "NOT NULL DEFAULT PRIMARY UNIQUE CHECK REFERENCES CONSTRAINT GENERATED COLLATE AS ON"
_CONSTRAINTS = frozenset(_KEYWORDS.split())


def _type_end(parts: list[str], at: int) -> int:
    while at < len(parts) and parts[at].upper() not in _CONSTRAINTS:
        if parts[at] == "(":
            closed = closing(parts, at)
            if closed is None:
                return len(parts)
            at = closed
        at += 1
    return at


def _without_default(text: str) -> tuple[str, str | None]:
    """What is said of the column besides its default, and the default as SQLite takes it."""
    parts = tokens(text)
    at = next((place for place, part in enumerate(parts) if part.upper() == "DEFAULT"), None)
    if at is None:
        return text, None
    first = last = following(parts, at)
    if word(parts, first) in ("+", "-"):
        last = following(parts, first)
    opened = last + 1 if word(parts, last) != "(" else last
    if word(parts, opened) == "(":
        last = closing(parts, opened) or last
    value = "".join(part for part in parts[first : last + 1] if not is_blank(part) or "(" in parts[first : last + 1])
    after = last + 1
    if word(parts, after) == "::":
        after = following(parts, after) + 1
    return "".join([*parts[:at], *parts[after:]]), _constant(value)


def _constant(value: str) -> str:
    if re.fullmatch(r"(?:now|getdate|sysdate|current_timestamp|sysdatetime)\s*\(\s*\d?\s*\)", value, re.IGNORECASE):
        return "CURRENT_TIMESTAMP"
    if re.fullmatch(r"(?:curdate|current_date)\s*\(\s*\)", value, re.IGNORECASE):
        return "CURRENT_DATE"
    said = rewritten(f"SELECT {value}")[7:]
    plain = is_text(said) or re.fullmatch(r"[+-]?[\w.]+|\(.*\)", said, re.DOTALL)
    return said if plain else f"({said})"


def _plain_type(name: str, kind: str) -> tuple[str, str]:
    """The type as SQLite takes it, and the CHECK that an ENUM becomes."""
    listed = re.fullmatch(r"ENUM\s*(\(.*\))", kind, re.IGNORECASE | re.DOTALL)
    if listed:
        return "TEXT", f"CHECK ({name} IN {listed[1]})"
    if kind.endswith("]"):
        return "TEXT", ""  # an array: JSON text
    kind = re.sub(r"(?<=\))\s*(?:UN)?SIGNED\b|\s*\bZEROFILL\b", "", kind, flags=re.IGNORECASE)
    return re.sub(r"\(\s*max\s*\)", "", kind, flags=re.IGNORECASE), ""
