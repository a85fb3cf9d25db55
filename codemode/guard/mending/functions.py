"""Functions of other databases on texts, numbers, rows and JSON as SQLite's: builders, as in dates.py.

None wherever the meaning is not certain. What a builder reads and writes is the text of expressions, never a value.
"""

from __future__ import annotations

import json
import re

from codemode.database.names import literal
from codemode.guard.mending.dates import Builder, truncated
from codemode.guard.mending.patterns import matched
from codemode.guard.mending.tokens import bracketed, content, is_text


def _call(name: str, least: int, most: int | None = None) -> Builder:
    """The same arguments under SQLite's name."""
    return lambda args: f"{name}({', '.join(args)})" if least <= len(args) <= (most or least) and args[0] else None


def _form(form: str, count: int) -> Builder:
    """An expression of the arguments, each of which is one operand in it."""
    return lambda args: form.format(*map(bracketed, args)) if len(args) == count and args[0] else None


def _whole(text: str) -> int | None:
    return int(text) if re.fullmatch(r"-?\d{1,6}", text.strip()) else None


def _right(args: list[str]) -> str | None:
    if len(args) != 2:
        return None
    count = _whole(args[1])
    if count is not None and count > 0:
        return f"substr({args[0]}, -{count})"
    return f"substr({args[0]}, max(length({args[0]}) - ({args[1]}), 0) + 1)"


def _isnull(args: list[str]) -> str | None:
    return f"({bracketed(args[0])} IS NULL)" if len(args) == 1 else _call("ifnull", 2)(args)


def _decode(args: list[str]) -> str | None:
    """Oracle's DECODE: NULL is equal to NULL there, as with IS."""
    if len(args) < 3:
        return None
    pairs = list(zip(args[1::2], args[2::2], strict=False))
    other = f" ELSE {args[-1]}" if len(args) % 2 == 0 else ""
    cases = (f"WHEN {bracketed(args[0])} IS {bracketed(key)} THEN {value}" for key, value in pairs)
    return f"CASE {' '.join(cases)}{other} END"


def _piece(args: list[str]) -> str | None:
    """SPLIT_PART(x, ',', n): through JSON, whose quoting keeps everything else apart from the delimiter."""
    number = _whole(args[2]) if len(args) == 3 else None
    if number is None or number == 0 or not _divides(args[1]):
        return None
    place = number - 1 if number > 0 else f"'$[#{number}]'"
    return f"coalesce({_as_array(args[0], args[1])} ->> {place}, substr({args[0]}, 1, 0))"  # NULL of NULL


def _index_piece(args: list[str]) -> str | None:
    """SUBSTRING_INDEX(x, ',', 1) and -1: the first and the last piece."""
    number = _whole(args[2]) if len(args) == 3 else None
    if number not in (1, -1) or not _divides(args[1]):
        return None
    return f"({_as_array(args[0], args[1])} ->> {0 if number == 1 else repr('$[#-1]')})"


def _divides(text: str) -> bool:
    return is_text(text) and bool(re.fullmatch(r"[^\"\\\x00-\x1f]+", content(text)))


def _as_array(value: str, delimiter: str) -> str:
    joint = literal('","')
    return f"('[' || replace(json_quote(CAST({value} AS TEXT)), {delimiter}, {joint}) || ']')"


def _padded(form: str) -> Builder:
    def build(args: list[str]) -> str | None:
        fill = args[2] if len(args) == 3 else "' '"
        if len(args) not in (2, 3) or not is_text(fill) or len(content(fill)) != 1:
            return None
        return form.format(value=bracketed(args[0]), count=bracketed(args[1]), fill=fill)

    return build


_LEFT_PADDED = "substr(replace(hex(zeroblob(max({count} - length({value}), 0))), '00', {fill}) || {value}, 1, {count})"
_WHOLE_TYPES = "int integer bigint smallint tinyint int2 int4 int8 int64 signed unsigned"
_REAL_TYPES = "float float4 float8 float64 double real number numeric decimal bignumeric"
_TEXT_TYPES = "text varchar char nvarchar nchar string character bpchar varchar2 clob uuid citext"
_TYPES = {
    **dict.fromkeys(_WHOLE_TYPES.split(), "INTEGER"),
    **dict.fromkeys(_REAL_TYPES.split(), "REAL"),
    **dict.fromkeys(_TEXT_TYPES.split(), "TEXT"),
    **dict.fromkeys(("blob", "bytea", "binary", "varbinary", "bytes"), "BLOB"),
}
_DATE_TYPES = {
    "date": "date",
    "time": "time",
    **dict.fromkeys(("datetime", "datetime2", "timestamp", "timestamptz"), "datetime"),
}
_ROUNDED = re.compile(r"[/.*]|\bavg\b|\bround\b|\bsum\b", re.IGNORECASE)


_TYPE = re.compile(
    r"\s*([a-z_0-9]+)(?:\s+precision|\s+varying)?\s*(?:\(\s*(\d+|max)\s*(?:,\s*(\d+)\s*)?\))?"
    r"\s*(?:with(?:out)?\s+time\s+zone)?\s*",
    re.IGNORECASE,
)


def cast(value: str, kind: str, *, rounds: bool = False) -> str | None:
    """`value` as another database's type; `rounds` where casting 2.7 to a whole number gives 3 there."""
    found = _TYPE.fullmatch(kind)
    if found is None:
        return None
    name, length, scale = found[1].lower(), found[2], found[3]
    if name in ("json", "jsonb"):
        return value  # JSON is text here; CAST(x AS JSONB) would make a number of it
    if name in _DATE_TYPES:
        return f"{_DATE_TYPES[name]}({value})"
    if name in ("bool", "boolean"):
        words = " ".join(f"WHEN '{each}' THEN 1" for each in ("true", "t", "yes", "y", "on"))
        return f"CASE lower({value}) {words} ELSE CAST({value} AS INTEGER) <> 0 END"
    target = _TYPES.get(name)
    if target is None or (target == "TEXT" and name == "char" and length is None):
        return None
    if target == "INTEGER" and rounds and _ROUNDED.search(value):
        value = f"round({value})"
    if target == "TEXT" and length and length.lower() != "max":
        return f"substr(CAST({value} AS TEXT), 1, {length})"
    plain = f"CAST({value} AS {target})"
    return f"round({plain}, {scale})" if target == "REAL" and scale else plain


def is_of_days(kind: str) -> bool:
    """Whether a type is one of dates or times."""
    found = _TYPE.fullmatch(kind)
    return found is not None and found[1].lower() in _DATE_TYPES


def tried_cast(value: str, kind: str) -> str | None:
    """TRY_CAST: NULL where the value is no number; SQLite's CAST would give 0."""
    plain = cast(value, kind)
    if plain is None or "AS TEXT" in plain or not plain.startswith("CAST"):
        return plain
    known = f"json_type(CASE WHEN json_valid({value}) THEN {value} END)"
    return f"CASE WHEN {known} IN ('integer', 'real') THEN {plain} END"


_STYLES = {"23": "%Y-%m-%d", "120": "%Y-%m-%d %H:%M:%S", "121": "%Y-%m-%d %H:%M:%S", "112": "%Y%m%d",
    "104": "%d.%m.%Y", "103": "%d/%m/%Y", "101": "%m/%d/%Y", "108": "%H:%M:%S"}  # fmt: skip


def _convert(args: list[str]) -> str | None:
    kind = re.fullmatch(r"n?(?:var)?char(?:\((\d+)\))?", args[0], re.IGNORECASE)
    if len(args) == 3 and args[2] in _STYLES and kind:
        day = f"strftime('{_STYLES[args[2]]}', {args[1]})"
        return f"substr({day}, 1, {kind[1]})" if kind[1] else day
    if len(args) != 2:
        return None
    return cast(args[1], args[0]) or cast(args[0], args[1])  # T-SQL: the type first; MySQL: last


def _tried(args: list[str]) -> str | None:
    found = re.fullmatch(r"(.+)\bAS\s+([\w\s(),]+)", args[0], re.IGNORECASE | re.DOTALL) if len(args) == 1 else None
    return tried_cast(found[1].strip(), found[2]) if found else None


_SUM_OF_SQUARES = "(sum(1.0 * {0} * {0}) - sum({0}) * 1.0 * sum({0}) / count({0}))"
_VARIANCE = f"{_SUM_OF_SQUARES} / nullif(count({{0}}) - 1, 0)"
_VARIANCE_POP = f"{_SUM_OF_SQUARES} / count({{0}})"
# Only rows that have both count, as elsewhere.
_X, _Y, _N = "iif({1} IS NULL, NULL, 1.0 * {0})", "iif({0} IS NULL, NULL, 1.0 * {1})", "count({0} + {1})"
_CORRELATION = (
    f"({_N} * sum({_X} * {{1}}) - sum({_X}) * sum({_Y}))"
    f" / nullif(sqrt({_N} * sum({_X} * {{0}}) - pow(sum({_X}), 2))"
    f" * sqrt({_N} * sum({_Y} * {{1}}) - pow(sum({_Y}), 2)), 0)"
)


def _quantile(args: list[str]) -> str | None:
    return f"percentile_cont({args[0]}, {args[1]})" if len(args) == 2 and _is_share(args[1]) else None


def _is_share(text: str) -> bool:
    return re.fullmatch(r"0?\.\d+|[01](?:\.0+)?", text.strip()) is not None


def _regexp(args: list[str]) -> str | None:
    return matched(args[0], re.sub(r"^[rR](?=')", "", args[1])) if len(args) == 2 else None  # r'^a' of BigQuery


def _regexp_replace(args: list[str]) -> str | None:
    if len(args) in (3, 4) and is_text(args[1]) and not re.search(r"[\\^$.|?*+()\[\]{}]", content(args[1])):
        return f"replace({args[0]}, {args[1]}, {args[2]})"
    return None


def behind(value: str, pattern: str) -> str | None:
    """What stands behind the first `@`, for the pattern `@(.+)$`; NULL where nothing does."""
    found = re.fullmatch(r"([^\\^$.|?*+()\[\]{}]+)\(\.[+*]\)\$?", content(pattern)) if is_text(pattern) else None
    if found is None:
        return None
    place = f"instr({value}, {literal(found[1])})"
    return f"CASE WHEN {place} > 0 THEN nullif(substr({value}, {place} + {len(found[1])}), '') END"


def _regexp_extract(args: list[str]) -> str | None:
    """`@(.+)$`, or `^` and a class a number of times: the first n characters, where they are of that class."""
    pattern = re.sub(r"^[rR](?=')", "", args[1]) if len(args) > 1 else ""
    if (said := behind(args[0], pattern)) is not None and args[2:] in ([], ["1"]):
        return said
    found = (
        re.fullmatch(r"\^(\[[\w-]+\]|\\d|\.)\{(\d{1,2})\}", content(args[1]))
        if len(args) == 2 and is_text(args[1])
        else None
    )
    if found is None:
        return None
    kind = {"\\d": "[0-9]", ".": "?"}.get(found[1], found[1])
    number = int(found[2])
    return f"CASE WHEN {args[0]} GLOB '{kind * number}*' THEN substr({args[0]}, 1, {number}) END"


def contained(value: str, sought: str) -> str | None:
    """Whether the JSON array `value` has all elements of the text `sought`, or an object its keys and values."""
    try:
        wanted = json.loads(content(sought))
    except ValueError:
        return None
    plain = wanted if isinstance(wanted, list) else [*wanted.values()] if isinstance(wanted, dict) else [wanted]
    if not plain or not all(type(each) in (str, int) for each in plain):
        return None
    said = [literal(each) if isinstance(each, str) else str(each) for each in plain]
    if isinstance(wanted, dict):
        if not all(re.fullmatch(r"\w+", key) for key in wanted):
            return None
        pairs = zip(wanted, said, strict=True)
        return f"({' AND '.join(f'{value} ->> {literal(key)} = {each}' for key, each in pairs)})"
    each_is = [f"EXISTS (SELECT 1 FROM json_each({value}) WHERE value = {each})" for each in said]
    return each_is[0] if len(each_is) == 1 else f"({' AND '.join(each_is)})"


def _json_contains(args: list[str]) -> str | None:
    quoted = re.fullmatch(r"JSON_QUOTE\((.+)\)", args[1], re.IGNORECASE) if len(args) == 2 else None
    if quoted:
        return f"EXISTS (SELECT 1 FROM json_each({args[0]}) WHERE value = {quoted[1]})"
    return contained(*args) if len(args) == 2 and is_text(args[1]) else None


def _unquoted(args: list[str]) -> str | None:
    """JSON_UNQUOTE(JSON_EXTRACT(x, '$.a')): json_extract answers a text without its quotes already."""
    if len(args) != 1 or not args[0]:
        return None
    return args[0] if re.match(r"json_extract\s*\(", args[0], re.IGNORECASE) else f"({args[0]} ->> '$')"


def _truncated(args: list[str]) -> str | None:
    """trunc(x, 2) of a number, TRUNC(x, 'MM') of a date."""
    if len(args) != 2:
        return None
    if is_text(args[1]):
        unit = {"mm": "month", "mon": "month", "month": "month", "yyyy": "year", "yy": "year", "year": "year",
            "q": "quarter", "dd": "day"}.get(content(args[1]).lower())  # fmt: skip
        return truncated(unit, args[0]) if unit else None
    return _form(_TRUNCATED, 2)(args) if args[1].isdigit() else None


_TRUNCATED = "(trunc({0} * pow(10, {1})) / pow(10, {1}))"


def _rounded_to_tens(args: list[str]) -> str | None:
    """round(x, -2), where SQLite rounds to whole numbers."""
    if len(args) != 2 or not re.fullmatch(r"-[1-9]", args[1]):
        return None
    unit = 10 ** int(args[1][1:])
    return f"(round({bracketed(args[0])} / {unit}.0) * {unit})"


def _field(args: list[str]) -> str | None:
    """FIELD(x, 'a', 'b'): the place of x among the others, 0 where it is none."""
    if len(args) < 2:
        return None
    return f"CASE {args[0]} {' '.join(f'WHEN {each} THEN {at}' for at, each in enumerate(args[1:], 1))} ELSE 0 END"


def _json_path(args: list[str]) -> str | None:
    return f"({args[0]} ->> {args[1]})" if len(args) == 2 and is_text(args[1]) else None


def _concatenated(args: list[str]) -> str | None:
    return f"({' || '.join(map(bracketed, args))})" if len(args) > 1 else None


BUILDERS: dict[str, Builder] = {
    "left": _form("substr({0}, 1, {1})", 2),
    "right": _right,
    "mid": _call("substr", 2, 3),
    "len": lambda args: _call("json_array_length" if args[0].startswith("json_array(") else "length", 1)(args),
    **dict.fromkeys(("char_length", "character_length"), _call("length", 1)),
    "datalength": _call("octet_length", 1),
    **dict.fromkeys(("charindex", "locate"), _form("instr({1}, {0})", 2)),
    "strpos": _call("instr", 2),
    "isnull": _isnull,
    **dict.fromkeys(("nvl", "ifnull2"), _call("coalesce", 2)),
    "nvl2": _form("iif({0} IS NOT NULL, {1}, {2})", 3),
    "iff": _call("iif", 3),
    "zeroifnull": _form("ifnull({0}, 0)", 1),
    "nullifzero": _form("nullif({0}, 0)", 1),
    "greatest": _call("max", 2, 100),
    "least": _call("min", 2, 100),
    "decode": _decode,
    **dict.fromkeys(("stddev", "stdev", "stddev_samp"), _form(f"sqrt({_VARIANCE})", 1)),
    **dict.fromkeys(("std", "stddev_pop", "stdevp"), _form(f"sqrt({_VARIANCE_POP})", 1)),
    **dict.fromkeys(("variance", "var_samp", "var"), _form(f"({_VARIANCE})", 1)),
    **dict.fromkeys(("var_pop", "varp", "variance_pop"), _form(f"({_VARIANCE_POP})", 1)),
    "corr": _form(f"({_CORRELATION})", 2),
    **dict.fromkeys(("quantile", "quantile_cont", "approx_quantile", "approx_percentile"), _quantile),
    **dict.fromkeys(("count_if", "countif"), _form("count(*) FILTER (WHERE {0})", 1)),
    "sumif": _form("sum({0}) FILTER (WHERE {1})", 2),
    "avgif": _form("avg({0}) FILTER (WHERE {1})", 2),
    **dict.fromkeys(("bool_or", "logical_or", "bit_or_bool"), _call("max", 1)),
    **dict.fromkeys(("bool_and", "logical_and", "every"), _call("min", 1)),
    **dict.fromkeys(("any_value", "arbitrary"), _call("min", 1)),
    "safe_divide": _form("({0} * 1.0 / nullif({1}, 0))", 2),
    **dict.fromkeys(("array_agg", "list", "json_agg", "jsonb_agg", "json_arrayagg", "json_array_agg", "group_array"),
                    _call("json_group_array", 1)),
    **dict.fromkeys(("json_object_agg", "jsonb_object_agg", "json_objectagg"), _call("json_group_object", 2)),
    **dict.fromkeys(("json_build_object", "jsonb_build_object"), _call("json_object", 2, 100)),
    **dict.fromkeys(("json_build_array", "jsonb_build_array"), _call("json_array", 1, 100)),
    **dict.fromkeys(("json_value", "json_extract_scalar", "get_json_object", "json_extract_string"), _json_path),
    "array_append": _form("json_insert({0}, '$[#]', {1})", 2),
    "json_query": _form("({0} -> {1})", 2),
    "json_unquote": _unquoted,
    "json_contains": _json_contains,
    **dict.fromkeys(("array_contains", "list_contains"),
                    _form("EXISTS (SELECT 1 FROM json_each({0}) WHERE value = {1})", 2)),
    "field": _field,
    "trunc": _truncated,
    **dict.fromkeys(("json_length", "jsonb_array_length", "array_size"), _call("json_array_length", 1)),
    "array_length": lambda args: f"json_array_length({args[0]})" if args[0] and args[1:] in ([], ["1"]) else None,
    "btrim": _call("trim", 1, 2),
    "round": _rounded_to_tens,
    "to_timestamp": lambda args: f"datetime({args[0]}, 'unixepoch')" if args[0].isdigit() and len(args) == 1 else None,
    **dict.fromkeys(("approx_count_distinct", "approx_distinct", "ndv", "count_distinct", "countdistinct", "uniq",
                     "uniqexact"),
                    _form("count(DISTINCT {0})", 1)),
    "split_part": _piece,
    "substring_index": _index_piece,
    "lpad": _padded(_LEFT_PADDED),
    "rpad": _padded("substr({value} || replace(hex(zeroblob({count})), '00', {fill}), 1, {count})"),
    **dict.fromkeys(("repeat", "replicate"), _form("replace(hex(zeroblob({1})), '00', {0})", 2)),
    "space": _form("printf('%*s', {0}, '')", 1),
    **dict.fromkeys(("regexp_like", "regexp_contains", "regexp_matches", "rlike"), _regexp),
    "regexp_replace": _regexp_replace,
    **dict.fromkeys(("regexp_extract", "regexp_substr"), _regexp_extract),
    **dict.fromkeys(("starts_with", "startswith"), _form("(substr({0}, 1, length({1})) = {1})", 2)),
    **dict.fromkeys(("ends_with", "endswith"), _form("(substr({0}, -length({1})) = {1})", 2)),
    **dict.fromkeys(("contains", "contains_substr"), _form("(instr({0}, {1}) > 0)", 2)),
    "ucase": _call("upper", 1),
    "lcase": _call("lower", 1),
    "ascii": _call("unicode", 1),
    "chr": _call("char", 1),
    "rand": lambda args: "(random() / 18446744073709551616.0 + 0.5)" if args == [""] else None,
    "truncate": _form(_TRUNCATED, 2),
    "cbrt": _form("(sign({0}) * pow(abs({0}), 1.0 / 3))", 1),
    **dict.fromkeys(("square", "sqr"), _form("({0} * {0})", 1)),
    "log1p": _form("ln(1 + {0})", 1),
    "int": _form("CAST({0} AS INTEGER)", 1),
    "str": _form("CAST({0} AS TEXT)", 1),
    "float": _form("CAST({0} AS REAL)", 1),
    "is_null": _form("({0} IS NULL)", 1),
    "to_number": _form("CAST({0} AS REAL)", 1),
    "convert": _convert,
    **dict.fromkeys(("try_cast", "safe_cast"), _tried),
    **dict.fromkeys(("uuid", "gen_random_uuid", "newid", "generate_uuid", "uuid_generate_v4"),
                    lambda args: "lower(hex(randomblob(16)))" if args == [""] else None),
    "average": _call("avg", 1),
    "mean": _call("avg", 1),
    **dict.fromkeys(("concatenate", "strcat"), _concatenated),
    "row_count": lambda args: "changes()" if args == [""] else None,
    "last_insert_id": lambda args: "last_insert_rowid()" if args == [""] else None,
}  # fmt: skip
