"""SQLite's way of saying what other databases say differently, as data: by function name, and by syntax."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

import apsw

_ELEMENTS = "it makes rows: use FROM t, json_each(t.x) AS e, and e.value"
_FULL_TEXT = "use a virtual table of fts5, and MATCH"
_REGEXP = "use GLOB, which tells upper case from lower, or LIKE, which does not, or filter in Python with re"
_DATES = "date('now'), date(x, '+1 month'), strftime('%Y-%m', x), julianday(a) - julianday(b)"

# Function names that models try, and what to write instead.
FUNCTION_WAYS: dict[str, str] = {
    "now": "use datetime('now')",
    "getdate": "use datetime('now')",
    "sysdate": "use datetime('now')",
    "curdate": "use date('now')",
    "today": "use date('now')",
    "year": "use CAST(strftime('%Y', x) AS INTEGER)",
    "month": "use CAST(strftime('%m', x) AS INTEGER)",
    "day": "use CAST(strftime('%d', x) AS INTEGER)",
    "hour": "use CAST(strftime('%H', x) AS INTEGER)",
    "extract": "use CAST(strftime('%Y', x) AS INTEGER) and its like",
    "date_part": "use CAST(strftime('%Y', x) AS INTEGER) and its like",
    "date_trunc": "use strftime('%Y-%m-01', x), or date(x, 'start of month')",
    **dict.fromkeys(("date_format", "dateformat", "format_date"), "use strftime('%Y-%m-%d', x)"),
    "to_char": "use strftime('%Y-%m-%d', x) for dates, printf('%.2f', x) for numbers",
    "to_number": "use CAST(x AS REAL)",
    "formatdatetime": "use strftime('%Y-%m-%d', x)",
    "dayofweek": "use CAST(strftime('%w', x) AS INTEGER) + 1, where 1 is Sunday",
    "weekday": "use (CAST(strftime('%w', x) AS INTEGER) + 6) % 7, where 0 is Monday",
    **dict.fromkeys(("datename", "datepart"), "use strftime('%m', x), and CASE for a name"),
    "dayname": "use CASE strftime('%w', x) WHEN '0' THEN 'Sunday' … END",
    "monthname": "use CASE strftime('%m', x) WHEN '01' THEN 'January' … END",
    "quarter": "use (CAST(strftime('%m', x) AS INTEGER) + 2) / 3",
    "week": "use CAST(strftime('%V', x) AS INTEGER)",
    "weekofyear": "use CAST(strftime('%V', x) AS INTEGER)",
    "last_day": "use date(x, 'start of month', '+1 month', '-1 day')",
    "eomonth": "use date(x, 'start of month', '+1 month', '-1 day')",
    "months_between": "use (julianday(a) - julianday(b)) / 30.4375, or compare year and month",
    "utc_timestamp": "use datetime('now')",
    "clock_timestamp": "use datetime('now')",
    **dict.fromkeys(
        ("make_date", "makedate", "date_from_parts", "datefromparts", "make_timestamp"),
        "use printf('%04d-%02d-%02d', y, m, d)",
    ),
    "add_months": "use date(x, '+1 month')",
    **dict.fromkeys(("to_date", "str_to_date", "parse_date", "strptime"), "store ISO text and use date(x)"),
    **dict.fromkeys(
        ("time_bucket", "date_bin"),
        "use strftime('%Y-%m-%d %H:00', x), or datetime(unixepoch(x) / 900 * 900, 'unixepoch') for 15 minutes",
    ),
    "dateadd": f"use {_DATES}",
    "date_add": f"use {_DATES}",
    "date_sub": f"use {_DATES}",
    "datediff": "use julianday(a) - julianday(b)",
    "timestampdiff": "use (julianday(a) - julianday(b)) * 24 for hours",
    "age": "use timediff(a, b), or julianday(a) - julianday(b)",
    "to_timestamp": "use datetime(x, 'unixepoch')",
    "from_unixtime": "use datetime(x, 'unixepoch')",
    "unix_timestamp": "use unixepoch(x)",
    "left": "use substr(x, 1, n)",
    "right": "use substr(x, -n)",
    "mid": "use substr(x, start, n)",
    "len": "use length(x)",
    "char_length": "use length(x)",
    "charindex": "use instr(x, part)",
    "strpos": "use instr(x, part)",
    "position": "use instr(x, part)",
    "locate": "use instr(x, part)",
    "isnull": "use ifnull(x, y), or x IS NULL",
    "nvl": "use coalesce(x, y)",
    "greatest": "use max(a, b), which takes several arguments, and is NULL where one of them is",
    "least": "use min(a, b), which takes several arguments, and is NULL where one of them is",
    "std": "use sqrt(avg(x * x) - avg(x) * avg(x)), or helpers.sql.statistics(table, field)",
    "stddev": "use sqrt(avg(x * x) - avg(x) * avg(x)), or helpers.sql.statistics(table, field)",
    "stdev": "use sqrt(avg(x * x) - avg(x) * avg(x)), or helpers.sql.statistics(table, field)",
    "stddev_pop": "use sqrt(avg(x * x) - avg(x) * avg(x)), or helpers.sql.statistics(table, field)",
    "stddev_samp": "use helpers.sql.statistics(table, field)",
    "variance": "use avg(x * x) - avg(x) * avg(x), or helpers.sql.statistics(table, field)",
    "var_pop": "use avg(x * x) - avg(x) * avg(x)",
    "varp": "use avg(x * x) - avg(x) * avg(x)",
    "var_samp": "use helpers.sql.statistics(table, field)",
    "quantile": "use percentile_cont(x, 0.25)",
    "percentile_approx": "use percentile_cont(x, 0.25)",
    "mode": "use SELECT x FROM t GROUP BY x ORDER BY count(*) DESC LIMIT 1",
    "count_if": "use count(*) FILTER (WHERE …)",
    "countif": "use count(*) FILTER (WHERE …)",
    "sumif": "use sum(x) FILTER (WHERE …)",
    "safe_divide": "use x * 1.0 / nullif(y, 0)",
    "width_bucket": "use CAST((x - low) / width AS INTEGER) + 1, or helpers.sql.histogram",
    "decode": "use CASE x WHEN … THEN … END",
    "choose": "use CASE x WHEN … THEN … END",
    "ucase": "use upper(x)",
    "lcase": "use lower(x)",
    "ascii": "use unicode(x)",
    "chr": "use char(n)",
    "space": "use printf('%*s', n, '')",
    "regexp_extract": "fetch the rows and use re.search in Python",
    "regexp_substr": "fetch the rows and use re.search in Python",
    "substring_index": "split in Python, or use instr and substr",
    "starts_with": "use x LIKE 'part%', or substr(x, 1, n) = part",
    "startswith": "use x LIKE 'part%', or substr(x, 1, n) = part",
    "endswith": "use x LIKE '%part'",
    "contains": "use instr(x, part) > 0",
    **dict.fromkeys(
        ("max_by", "arg_max", "argmax", "min_by", "arg_min", "argmin"),
        "beside one max(y) or min(y) stands the x of its row: SELECT x, max(y) FROM t GROUP BY …",
    ),
    **dict.fromkeys(("cumsum", "cum_sum", "running_sum", "runningsum"), "use sum(x) OVER (ORDER BY …)"),
    **dict.fromkeys(
        ("rolling_avg", "moving_average", "moving_avg"),
        "use avg(x) OVER (ORDER BY … ROWS 6 PRECEDING), or helpers.sql.moving_average",
    ),
    **dict.fromkeys(("count_distinct", "countdistinct", "uniq", "uniqexact"), "use count(DISTINCT x)"),
    **dict.fromkeys(("first", "last"), "use first_value(x) OVER (ORDER BY …), or ORDER BY … LIMIT 1"),
    "product": "multiply in Python with math.prod",
    **dict.fromkeys(("bit_and", "bit_or", "bit_xor", "bit_count"), "fetch the rows and compute it in Python"),
    **dict.fromkeys(("is_numeric", "isnumeric"), "use typeof(x) IN ('integer', 'real')"),
    "is_null": "use x IS NULL",
    **dict.fromkeys(("int", "float", "str"), "use CAST(x AS INTEGER), CAST(x AS REAL) or CAST(x AS TEXT)"),
    "sqr": "use x * x",
    "corr": "compute it in Python with statistics.correlation",
    **dict.fromkeys(("covar_pop", "covar_samp"), "compute it in Python with statistics.covariance"),
    **dict.fromkeys(
        ("regr_slope", "regr_intercept", "regr_r2"), "compute it in Python with statistics.linear_regression"
    ),
    "regexp": _REGEXP,
    "regexp_replace": "fetch the rows and use re.sub in Python",
    "regexp_like": _REGEXP,
    "regexp_matches": _REGEXP,
    **dict.fromkeys(
        ("array_agg", "json_agg", "jsonb_agg", "json_array_agg", "json_arrayagg", "list", "group_array", "grouparray"),
        "use json_group_array(x)",
    ),
    **dict.fromkeys(("listagg", "list_agg", "textjoin"), "use group_concat(x, ', ')"),
    "unnest": _ELEMENTS,
    **dict.fromkeys(("json_array_elements", "json_array_elements_text"), _ELEMENTS),
    **dict.fromkeys(("jsonb_array_elements", "jsonb_array_elements_text"), _ELEMENTS),
    **dict.fromkeys(("any", "all", "some"), "use y IN (SELECT value FROM json_each(x))"),
    "array_append": "use json_insert(x, '$[#]', value), which appends",
    "array_cat": "use json_insert(x, '$[#]', value) for each, or two json_each joined by UNION ALL",
    "array_remove": "use (SELECT json_group_array(value) FROM json_each(x) WHERE value <> …)",
    **dict.fromkeys(("array_length", "array_size", "cardinality"), "use json_array_length(x)"),
    "element_at": "use x ->> n, which counts from 0",
    "array_to_string": "use (SELECT group_concat(value, ', ') FROM json_each(x))",
    **dict.fromkeys(("json_object_keys", "jsonb_object_keys"), "use SELECT key FROM json_each(x)"),
    **dict.fromkeys(("json_each_text", "jsonb_each", "jsonb_each_text"), "use json_each(x), which has key and value"),
    **dict.fromkeys(("json_typeof", "jsonb_typeof"), "use json_type(x)"),
    **dict.fromkeys(("row_to_json", "to_jsonb"), "use json_object('key', value), or json_quote(x)"),
    "jsonb_array_length": "use json_array_length(x)",
    "json_length": "use json_array_length(x)",
    "jsonb_path_query": "use x -> '$.key', or json_each(x, '$.list')",
    "json_build_object": "use json_object('key', value)",
    "jsonb_build_object": "use json_object('key', value)",
    "jsonb_object_agg": "use json_group_object(key, value)",
    **dict.fromkeys(
        ("json_contains", "array_contains", "array_position"), "use EXISTS (SELECT 1 FROM json_each(x) WHERE value = …)"
    ),
    "find_in_set": "use instr(',' || list || ',', ',' || x || ',') > 0",
    "json_unquote": "use x ->> '$.key'",
    "json_query": "use x -> '$.key'",
    "to_json": "use json_object('key', value), or json_quote(x)",
    **dict.fromkeys(
        ("to_tsvector", "to_tsquery", "plainto_tsquery", "phraseto_tsquery", "websearch_to_tsquery", "setweight"),
        _FULL_TEXT,
    ),
    "ts_headline": "use substr(column, max(1, instr(lower(column), lower('term')) - 40), 120)",
    "ts_rank_cd": "use bm25(fts_table), which is smaller for a better hit",
    "ts_rank": "use bm25(fts_table), which is smaller for a better hit",
    "similarity": "use fts5 with tokenize = 'trigram', or difflib in Python",
    "levenshtein": "compare in Python with difflib",
    "json_table": "use json_each(x)",
    "json_value": "use x ->> '$.key'",
    "json_object_agg": "use json_group_object(key, value)",
    "split_part": "split in Python, or use instr and substr",
    **dict.fromkeys(
        (
            "string_split",
            "string_to_array",
            "string_to_table",
            "split",
            "regexp_split_to_array",
            "regexp_split_to_table",
        ),
        "split in Python and insert the parts",
    ),
    "initcap": "use upper(substr(x, 1, 1)) || lower(substr(x, 2))",
    "reverse": "reverse in Python",
    "repeat": "use replace(hex(zeroblob(n)), '00', x)",
    "lpad": "use printf('%5s', x), or printf('%05d', x) for numbers",
    "rpad": "use printf('%-5s', x)",
    **dict.fromkeys(("md5", "sha1", "sha256", "digest", "crypt"), "compute it in Python with hashlib"),
    **dict.fromkeys(
        ("uuid", "gen_random_uuid", "newid", "uuid_generate_v4", "generate_uuid"),
        "use lower(hex(randomblob(16))), or uuid in Python",
    ),
    **dict.fromkeys(("nextval", "currval", "lastval", "setval"), "use id INTEGER PRIMARY KEY, which counts up"),
    **dict.fromkeys(
        ("current_setting", "set_config"), "a session has no variables; use Python's, and bind them as parameters"
    ),
    **dict.fromkeys(
        ("pg_size_pretty", "pg_database_size", "pg_relation_size", "pg_total_relation_size"),
        "use helpers.db.get_metrics()",
    ),
    "rand": "use abs(random()) / 9223372036854775807.0",
    "cbrt": "use pow(x, 1.0 / 3)",
    "truncate": "use trunc(x), or round(x, n)",
    "convert": "use CAST(x AS type)",
    "try_cast": "use CAST(x AS type), which gives 0 where it cannot",
    "try_convert": "use CAST(x AS type), which gives 0 where it cannot",
    "rollup": "join the totals with UNION ALL",
    "cube": "join the totals with UNION ALL",
    "grouping": "join the totals with UNION ALL",
    "bool_or": "use max(x)",
    "bool_and": "use min(x)",
    "any_value": "use min(x)",
    "approx_count_distinct": "use count(DISTINCT x)",
    "row_count": "use changes()",
    "version": "use sqlite_version()",
    **dict.fromkeys(
        ("range", "sequence"), "use WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 10)"
    ),
    "generate_series": "use WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 10)",
}

_FLAGS = re.IGNORECASE
_SEARCHED = 4_000  # characters of a statement: some patterns below take the square of them

# Syntax of other databases: a pattern in the statement, and what to write instead. The first that is found counts.
SYNTAX_WAYS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"@\w+\s*:=", _FLAGS), "a session has no variables: number rows with row_number() OVER (ORDER BY …)"),
    (
        re.compile(r"\bAS\s*\(\s*(?:INSERT|UPDATE|DELETE)\b", _FLAGS),
        "WITH holds queries only: run the change itself, with RETURNING",
    ),
    (re.compile(r"\bCONNECT\s+BY\b", _FLAGS), "use WITH RECURSIVE t AS (SELECT … UNION ALL SELECT … JOIN t ON …)"),
    (re.compile(r"\bFOR\s+XML\b", _FLAGS), "use group_concat(x, ', ') and GROUP BY"),
    (re.compile(r"\(\s*\+\s*\)"), "use LEFT JOIN … ON …"),
    (
        re.compile(r"\bASOF\s+JOIN\b", _FLAGS),
        "use a subquery: (SELECT x FROM b WHERE b.at <= a.at ORDER BY b.at DESC LIMIT 1)",
    ),
    (re.compile(r"\bPERCENT\b", _FLAGS), "use LIMIT (SELECT count(*) / 10 FROM t)"),
    (re.compile(r"\bMODE\s*\(\s*\)\s*WITHIN\b", _FLAGS), FUNCTION_WAYS["mode"]),
    (re.compile(r"\bjsonb?_array_elements|\bEXPLODE\s*\(", _FLAGS), _ELEMENTS),
    (
        re.compile(r"\bAT\s+TIME\s+ZONE\b", _FLAGS),
        "times have no zone here: leave it out for UTC, or move them: datetime(x, '+2 hours')",
    ),
    (re.compile(r"\b(?:DATENAME|DATEPART)\s*\(\s*\w+\s*,", _FLAGS), FUNCTION_WAYS["datename"]),
    (re.compile(r"@@|\bto_tsvector\b|\bto_tsquery\b", _FLAGS), _FULL_TEXT),
    (re.compile(r"\bEXCLUDE\s+USING\b", _FLAGS), "use a trigger BEFORE INSERT with RAISE(ABORT, 'why')"),
    (
        re.compile(r"\bUSING\s+(GIN|GIST)\b", _FLAGS),
        "leave USING out and index one field: CREATE INDEX i ON t (x ->> '$.key'); elements are read with json_each(x)",
    ),
    (re.compile(r"\bUSING\s+(BTREE|HASH|BRIN)\b", _FLAGS), "leave USING out: CREATE INDEX i ON t (x)"),
    (re.compile(r"\)\s*INCLUDE\s*\(", _FLAGS), "name them last: an index on (a, b) holds b too"),
    (re.compile(r"\bNULLS\s+NOT\s+DISTINCT\b", _FLAGS), "use CREATE UNIQUE INDEX i ON t (a, coalesce(b, ''))"),
    (
        re.compile(r"\bEXECUTE\s+(FUNCTION|PROCEDURE)\b", _FLAGS),
        "a trigger holds its statements: … FOR EACH ROW BEGIN UPDATE t SET … WHERE id = new.id; END",
    ),
    (
        re.compile(r"\|\|[^|]*::\s*jsonb?\b", _FLAGS),
        "|| joins texts: append with json_insert(x, '$[#]', value), merge with json_patch(x, y)",
    ),
    (
        re.compile(r"\bPARTITION\s+BY\s+(RANGE|LIST|HASH)\b", _FLAGS),
        "leave partitions and table options out: one table, and an index on the column",
    ),
    (re.compile(r"\bPARTITION\s+OF\b", _FLAGS), "leave partitions out: one table, and an index on the column"),
    (re.compile(r"@>|<@"), "use EXISTS (SELECT 1 FROM json_each(x) WHERE value = …)"),
    (re.compile(r"#>>?"), "use x ->> '$.a.b'"),
    (re.compile(r"\w\s+\?[|&]?\s+'"), "use x -> '$.key' IS NOT NULL"),
    (re.compile(r"\s!?~\*?\s*'|\bRLIKE\s", _FLAGS), _REGEXP),
    (
        re.compile(r"\bDEFAULT\s+\w+\s*\(", _FLAGS),
        "a computed default stands in parentheses: DEFAULT (datetime('now'))",
    ),
    (re.compile(r"\bON\s+CONFLICT\s+ON\s+CONSTRAINT\b", _FLAGS), "name the columns: ON CONFLICT(a, b) DO …"),
    (re.compile(r"\bENUM\s*\(", _FLAGS), "use TEXT CHECK (x IN ('a', 'b'))"),
    (re.compile(r"[,(]\s*(UNIQUE\s+)?(INDEX|KEY)\s*\w*\s*\(", _FLAGS), "write CREATE INDEX as a statement of its own"),
    (
        re.compile(r"\bON\s+UPDATE\s+(CURRENT_TIMESTAMP|now)\b", _FLAGS),
        "use a trigger AFTER UPDATE that sets the column",
    ),
    (re.compile(r"\bFOR\s+(UPDATE|SHARE)\b", _FLAGS), "leave it out: one execution at a time writes"),
    (re.compile(r"\bCONCURRENTLY\b", _FLAGS), "leave CONCURRENTLY out"),
    (re.compile(r"\bROW\s+LEVEL\s+SECURITY\b", _FLAGS), "leave it out: a session belongs to one tenant"),
    (re.compile(r"\bTABLESAMPLE\b", _FLAGS), "use ORDER BY random() LIMIT n"),
    (re.compile(r"\bSEPARATOR\b", _FLAGS), "use group_concat(x, ', ')"),
    (re.compile(r"\b(DATE|TIME|TIMESTAMP)\s+'", _FLAGS), "a date is a text: '2025-01-31', without DATE before it"),
    (re.compile(r"\bCREATE\s+TABLE\b[^()]*\(?\s*\bLIKE\b", _FLAGS), "use CREATE TABLE a AS SELECT * FROM b LIMIT 0"),
    (
        re.compile(r"\bIN\s*\(?\s*[\[{]\s*['\"\d\]-]", _FLAGS),
        "a list was pasted in: write IN (SELECT value FROM json_each(?)), and bind the list",
    ),
    (
        re.compile(r"\bIN\s+[?:@$]\w*", _FLAGS),
        "a placeholder is one value: write IN (SELECT value FROM json_each(?)), and bind the list",
    ),
    (re.compile(r"(?<!['\d])\d{4}-\d\d-\d\d[ T]\d\d:"), "a date is a text in single quotes; better, bind it: x = ?"),
    (re.compile(r"\{\w*\}"), "{…} was not filled in: write f before the quotes for a name, and bind values: x = ?"),
    (re.compile(r"\bILIKE\b", _FLAGS), "LIKE compares ASCII without case already; use LIKE"),
    (re.compile(r"\bSIMILAR\s+TO\b", _FLAGS), _REGEXP),
    (re.compile(r"::\s*date\b", _FLAGS), "use date(x), and julianday(a) - julianday(b) for the days between two"),
    (re.compile(r"::\s*timestamp", _FLAGS), "use datetime(x)"),
    (re.compile(r"::\s*\w+"), "use CAST(x AS type)"),
    (
        re.compile(r"\bLATERAL\b|\b(?:CROSS|OUTER)\s+APPLY\b", _FLAGS),
        "use a correlated subquery for each value, (SELECT x FROM b WHERE b.id = a.id … LIMIT 1), or json_each(x)",
    ),
    (re.compile(r"\bSUBSTRING\s*\([^()]*\bFROM\s+'", _FLAGS), FUNCTION_WAYS["regexp_substr"]),
    (re.compile(r"\bSELECT\s+TOP\b", _FLAGS), "use LIMIT n at the end"),
    (re.compile(r"\bFETCH\s+(FIRST|NEXT)\b", _FLAGS), "use LIMIT n"),
    (re.compile(r"\bEXTRACT\s*\(\s*EPOCH\b", _FLAGS), "use unixepoch(b) - unixepoch(a) for seconds"),
    (
        re.compile(r"\bEXTRACT\s*\(\s*WEEK\b", _FLAGS),
        "use CAST(strftime('%V', x) AS INTEGER) for weeks of ISO 8601",
    ),
    (re.compile(r"\bINTERVAL\b|\bMAKE_INTERVAL\b", _FLAGS), "use date(x, '+7 days') or datetime(x, '-1 month')"),
    (re.compile(r"\bEXTRACT\s*\(", _FLAGS), "use CAST(strftime('%Y', x) AS INTEGER)"),
    (re.compile(r"\bQUALIFY\b", _FLAGS), "put the window function into a subquery and filter outside"),
    (re.compile(r"\bDISTINCT\s+ON\b", _FLAGS), "use row_number() OVER (PARTITION BY …) in a subquery and keep 1"),
    (re.compile(r"\bAUTO_?INCREMENT\b|\bSERIAL\b|\bIDENTITY\b", _FLAGS), "use id INTEGER PRIMARY KEY, which counts up"),
    (re.compile(r"\bENGINE\s*=|\bCHARSET\b", _FLAGS), "leave table options out"),
    (re.compile(r"\bON\s+DUPLICATE\s+KEY\b", _FLAGS), "use ON CONFLICT(key) DO UPDATE SET x = excluded.x"),
    (re.compile(r"\bINSERT\s+IGNORE\b", _FLAGS), "use INSERT OR IGNORE"),
    (
        re.compile(r"\bTRIGGER\b.*\bSET\s+NEW\.", _FLAGS | re.DOTALL),
        "a trigger cannot set new.x: AFTER the change UPDATE t SET x = … WHERE id = new.id",
    ),
    (
        re.compile(r"\bFOR\s+EACH\s+STATEMENT\b", _FLAGS),
        "triggers fire for each row: write FOR EACH ROW, or leave it out",
    ),
    (
        re.compile(r"\bTRIGGER\b.*\b(INSERT|UPDATE|DELETE)\s+OR\s+(INSERT|UPDATE|DELETE)\b", _FLAGS),
        "make one trigger for each of INSERT, UPDATE and DELETE",
    ),
    (
        re.compile(r"\A(?=.*?\bTRIGGER\b.*\bBEGIN\b).*[^;\s]\s+END\s*;?\s*\Z", _FLAGS | re.DOTALL),
        "each statement of a trigger ends with a semicolon: … ; END",
    ),
    (re.compile(r"\bALTER\s+COLUMN\b|\bMODIFY\b", _FLAGS), "SQLite cannot change a column: make a new table and copy"),
    (re.compile(r"\bROLLUP\b|\bCUBE\b|\bGROUPING\s+SETS\b", _FLAGS), "join the totals with UNION ALL"),
    (re.compile(r"\bPIVOT\b", _FLAGS), "use sum(CASE WHEN … THEN … END), or helpers.sql.crosstab"),
    (re.compile(r"\bSELECT\b[^()]*\bINTO\b", _FLAGS), "use CREATE TABLE t AS SELECT …"),
    (re.compile(r"\bUPDATE\b.*\bJOIN\b", _FLAGS | re.DOTALL), "use UPDATE t SET … FROM other WHERE …"),
    (re.compile(r"\bUPDATE\b.*\bSET\s+\w+\.\w+\s*=", _FLAGS | re.DOTALL), "SET takes the column alone: SET x = …"),
    (re.compile(r"\bDELETE\b.*\bJOIN\b|\bDELETE\b.*\bUSING\b", _FLAGS | re.DOTALL), "use WHERE … IN (SELECT …)"),
    (
        re.compile(r"\A\s*(DELETE|UPDATE)\b.*\bLIMIT\b", _FLAGS | re.DOTALL),
        "choose the rows in a subquery: WHERE rowid IN (SELECT rowid FROM t … LIMIT n)",
    ),
    (re.compile(r"\b(IGNORE|RESPECT)\s+NULLS\b", _FLAGS), "use a subquery WHERE x IS NOT NULL, or max(x) OVER (…)"),
    (re.compile(r"\*\s+(EXCEPT|EXCLUDE|REPLACE)\s*\(", _FLAGS), "name the columns that are wanted"),
    (re.compile(r"\b(GROUP|ORDER)\s+BY\s+ALL\b", _FLAGS), "name the columns, or use their numbers: GROUP BY 1, 2"),
    (
        re.compile(r"\bAS\s+\w+\s*\(\s*[a-z_]\w*\s*(,\s*[a-z_]\w*\s*)*\)", _FLAGS),
        "use WITH v(a, b) AS (VALUES (1, 2)) SELECT …",
    ),
    (re.compile(r"\b(ADD|DROP)\s+(COLUMN\s+)?IF\b", _FLAGS), "look first: helpers.schema.has_column('t', 'x')"),
    (re.compile(r"\A\s*ALTER\b.*,\s*(ADD|DROP)\b", _FLAGS | re.DOTALL), "write one ALTER TABLE for each change"),
    (re.compile(r"\A\s*DROP\s+INDEX\b.*\bON\b", _FLAGS), "use DROP INDEX name, without its table"),
    (re.compile(r"\bOFFSET\s+\d+\s+ROWS\b", _FLAGS), "use LIMIT n OFFSET m"),
    (
        re.compile(r"\b(DATEDIFF|DATEADD|TIMESTAMPDIFF|TIMESTAMPADD)\s*\(\s*\w+\s*,", _FLAGS),
        "use julianday(a) - julianday(b) for days, or date(x, '+7 days')",
    ),
    (re.compile(r"\bARRAY\s*\["), "use JSON: '[1, 2]' with json_each"),
    (re.compile(r"[=<>]\s*(ANY|ALL|SOME)\s*\(\s*SELECT\b", _FLAGS), "use x IN (SELECT …), or x > (SELECT min(y) …)"),
    (re.compile(r"\A\s*DROP\b.*\b(CASCADE|RESTRICT)\b", _FLAGS), "leave CASCADE out"),
    (re.compile(r"\bWITHIN\s+GROUP\b", _FLAGS), "use percentile_cont(x, 0.5) or median(x)"),
    (re.compile(r"^\s*\("), "SQLite takes no parentheses around a whole SELECT or the parts of a UNION"),
    (re.compile(r"%s|%\(\w+\)s"), "parameters are ? or :name"),
    (re.compile(r"\\'"), "double a quote inside a text: 'it''s'; better, bind it as a parameter"),
    (re.compile(r"[\u2018\u2019\u201c\u201d]"), "use straight quotes ' instead of typographic ones"),
    (re.compile(r",\s*(?:FROM\b|\))", _FLAGS), "leave out the comma that nothing follows"),
    (re.compile(r"\b(?:FROM|JOIN|INTO|UPDATE|TABLE)\s+[?:]", _FLAGS), "a table's name is never bound: write it out"),
)

SCHEMA_MATCH_WAY = "a view or a trigger has no MATCH: write docs('words') there, or search in the statement itself"
MATCH_WAY = "in MATCH, words with signs stand in double quotes: '\"a-b\"'; or use helpers.sql.full_text_search"

# What SQLite says of a statement that it understood and will not run, and what to write instead.
MESSAGE_WAYS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"^misuse of .*window function"), "put the window function into a subquery and filter outside"),
    (re.compile(r"^misuse of (aliased )?aggregate"), "use HAVING after GROUP BY, or put the aggregate into a subquery"),
    (re.compile(r"^HAVING clause on a non-aggregate"), "use WHERE, or add GROUP BY"),
    (
        re.compile(r"^DISTINCT aggregates must"),
        "aggregate over a subquery: group_concat(x, '; ') FROM (SELECT DISTINCT …)",
    ),
    (re.compile(r"^ambiguous column name"), "write the table before it: t.column"),
    (
        re.compile(r"^(ORDER BY|LIMIT) clause should come after"),
        "use SELECT * FROM (SELECT … ORDER BY … LIMIT n) for the part",
    ),
    (
        re.compile(r"do not have the same number of result columns"),
        "give each SELECT as many columns, NULL AS x where it has none",
    ),
    (re.compile(r"^sub-select returns \d+ columns"), "select one column there, or write (a, b) IN (SELECT a, b …)"),
    (re.compile(r"^wrong number of arguments to function count", _FLAGS), "use count(*) FROM (SELECT DISTINCT a, b …)"),
    (re.compile(r"^unknown datatype"), "a STRICT table takes INTEGER, REAL, TEXT, BLOB and ANY; or leave STRICT out"),
    (
        re.compile(r"column with non-constant default"),
        "add it without a default, then UPDATE t SET x = datetime('now')",
    ),
    (re.compile(r"^Cannot add a REFERENCES column"), "add it without a default, which is NULL, then UPDATE"),
    (re.compile(r"has more than one primary key"), "one key of several columns stands behind them: PRIMARY KEY (a, b)"),
    (re.compile(r"^PRIMARY KEY missing"), "name its key: PRIMARY KEY (a); or leave WITHOUT ROWID out"),
    (re.compile(r"^cannot drop PRIMARY KEY"), "make a new table without it, copy the rows, and rename it"),
    (re.compile(r"^object name reserved"), "names that begin with sqlite_ are SQLite's own: use another one"),
    (re.compile(r"^unknown database"), "a session has one database: leave the name before the table out"),
    (re.compile(r"^missing datatype"), "each column of a STRICT table has a type: INTEGER, REAL, TEXT, BLOB or ANY"),
    (
        re.compile(r"^subqueries prohibited in CHECK"),
        "a CHECK sees its own row only: use a foreign key, or a trigger with SELECT RAISE(ABORT, 'why') WHERE …",
    ),
    (
        re.compile(r"^non-deterministic (use of|functions prohibited in)"),
        "what changes by itself belongs elsewhere: in a DEFAULT, in the WHERE of queries, in a trigger",
    ),
    (re.compile(r"^cannot add a STORED column"), "make it VIRTUAL: it is computed when it is read"),
    (re.compile(r"^cannot (INSERT into|UPDATE) generated column"), "it is computed from other columns: leave it out"),
    (re.compile(r"^Cannot add a NOT NULL column"), "give it a default that is not NULL: NOT NULL DEFAULT ''"),
    (re.compile(r"^AUTOINCREMENT is only allowed"), "write id INTEGER PRIMARY KEY, which counts up by itself"),
    (
        re.compile(r"^malformed JSON"),
        "find what is none with WHERE NOT json_valid(x), or read CASE WHEN json_valid(x) THEN x END",
    ),
    (re.compile(r"^integer overflow"), "beyond 64 bits use total(x), or CAST(x AS REAL)"),
    (re.compile(r"^bad JSON path"), "a path begins with $: '$.a.b', '$[0]'"),
    (re.compile(r"ORDER BY term out of range"), "a number there counts the columns that are selected"),
    (re.compile(r"^foreign key mismatch"), "the column that is referred to has to be a PRIMARY KEY or UNIQUE"),
    (re.compile(r"^fts5: |^unterminated string"), MATCH_WAY),
)


def message_way(message: str) -> str | None:
    """What to write instead, for an error of SQLite's that has a usual cause."""
    return next((way for pattern, way in MESSAGE_WAYS if pattern.search(message)), None)


_COMPARISONS = {
    "gt": ">", "gte": ">=", "lt": "<", "lte": "<=", "ne": "!=", "in": "in", "range": "between", "contains": "contains",
    "icontains": "contains", "startswith": "starts with", "endswith": "ends with", "isnull": "is", "exact": "=",
}  # fmt: skip


def comparison_way(name: str, available: Iterable[str]) -> str | None:
    """`delay__gt`, as Django has it: the column alone would prepare, and compare in another way."""
    column, _, comparison = name.rpartition("__")
    if comparison not in _COMPARISONS or column.lower() not in (each.lower() for each in available):
        return None
    operator = _COMPARISONS[comparison]
    return f'a comparison is no part of a name: write {{"{column}": {{"{operator}": value}}}} as a condition, or SQL'


_BLANKS = re.compile(
    r"\s{100,}"
)  # a pattern in which several parts may stand for them takes the square of their number


def syntax_way(sql: str) -> str | None:
    """SQLite's way, where `sql` shows a known habit of another database."""
    text = _BLANKS.sub(" ", sql[:_SEARCHED])
    return next((way for pattern, way in SYNTAX_WAYS if pattern.search(text)), None)


_NAMED = re.compile(r"\b(?:FROM|JOIN|INTO|UPDATE|TABLE|VIEW|EXISTS|AS)\s+(\w{1,40})", _FLAGS)  # a table `orders`
_COMPARED = re.compile(r"[=<>]\s*(\w{1,40})")  # a text without its quotes: `name = John F Kennedy`
_CLAUSES = ("FROM", "WHERE", "GROUP", "ORDER", "HAVING", "LIMIT", "OFFSET", "JOIN", "SET", "VALUES", "INTO", "UNION")


def clause_meant(message: str, sql: str) -> tuple[str, str] | None:
    """A misspelt word of a clause (`ODER BY`), where `message` or the word before it shows one, and what was meant."""
    near = re.match(r'near "(\w{1,40})": syntax error', message)
    if near is None:
        return None
    before = re.findall(rf"\b(\w{{1,40}})\s+{near[1]}\b", sql[:_SEARCHED])
    names = {name.upper() for name in (*_NAMED.findall(sql[:_SEARCHED]), *_COMPARED.findall(sql[:_SEARCHED]))}
    for word in (near[1], *before[:5]):
        meant = difflib.get_close_matches(word.upper()[:20], _CLAUSES, n=1, cutoff=0.7)
        if meant and word.upper() not in apsw.keywords and word.upper() not in names:
            return word, meant[0]
    return None
