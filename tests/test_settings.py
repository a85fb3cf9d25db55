from __future__ import annotations

from pathlib import Path

import pytest

from codemode.errors import RequestInvalid
from codemode.limits import Limits
from codemode.settings import Settings, flat, keys, resolve, variable


def config(folder: Path, text: str) -> Path:
    path = folder / "codemode.toml"
    path.write_text(text)
    return path


def test_without_any_source_the_defaults_hold():
    resolved = resolve(environ={})
    assert resolved.settings == Settings()
    assert set(resolved.sources.values()) == {"default"}


def test_argument_beats_environment_beats_file_beats_default(tmp_path: Path):
    path = config(tmp_path, "children = 3\nlog_entries = 30\nsweep_seconds = 5\n[limits]\nrows = 30\n")
    environ = {"CODEMODE_CHILDREN": "4", "CODEMODE_LOG_ENTRIES": "40", "CODEMODE_LIMITS_ROWS": "40"}
    resolved = resolve(config=path, environ=environ, children=5)
    settings = resolved.settings
    assert (settings.children, settings.log_entries, settings.sweep_seconds) == (5, 40, 5.0)
    assert settings.limits == Limits(rows=40)
    assert resolved.sources["children"] == "argument"
    assert resolved.sources["limits.rows"] == "environment CODEMODE_LIMITS_ROWS"
    assert resolved.sources["sweep_seconds"] == f"file {path}"
    assert resolved.sources["limits.helper_calls"] == "default"


def test_the_file_may_be_named_by_the_environment(tmp_path: Path):
    path = config(tmp_path, "children = 7\n")
    assert resolve(environ={"CODEMODE_CONFIG": str(path)}).settings.children == 7


def test_no_file_is_read_unless_named(tmp_path: Path, monkeypatch):
    config(tmp_path, "children = 7\n")
    monkeypatch.chdir(tmp_path)
    assert resolve(environ={}).settings.children == Settings().children


def test_a_relative_data_directory_is_relative_to_its_file(tmp_path: Path):
    path = config(tmp_path, 'data_dir = "data"\n')
    assert resolve(config=path, environ={}).settings.data_dir == str(tmp_path / "data")


@pytest.mark.parametrize("key", [key for key, kind in keys().items() if kind in (int, float)])
def test_every_number_can_be_set_by_its_variable(key):
    resolved = resolve(environ={variable(key): "1000"})
    assert flat(resolved.settings)[key] == 1000
    assert resolved.sources[key] == f"environment {variable(key)}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cors_origins = 5", "cors_origins: expected text"),
        ("children = 'two'", "children: expected a whole number, not 'two'"),
        ("children = true", "children: expected a whole number, not True"),
        ("isolation = 'some'", 'isolation: expected "required" or "none"'),
        ("data_dir = 5", "data_dir: expected text"),
        ("limits = 5", "limits is a table"),
        ("[limits]\nrows = 1.5", "limits.rows: expected a whole number"),
        ("[limits]\nrows = 0", "limit rows must be above zero"),
        ("children = -1", "children must be zero or more"),
        ("record_days = 99_999_999_999_999", "record_days must be at most 36,525"),
        ("sweep_seconds = inf", "sweep_seconds must be at most 3,155,760,000"),
        ("sweep_seconds = nan", "sweep_seconds must be above zero"),
        ("children =", "is not TOML"),
        ("children = " + "[" * 5_000, "is not TOML"),
    ],
)
def test_a_wrong_value_says_which_key_and_what_was_expected(tmp_path: Path, text, message):
    with pytest.raises(RequestInvalid) as caught:
        resolve(config=config(tmp_path, text), environ={})
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "meant"),
    [("childs = 2", "children"), ("rows = 5", "limits.rows"), ("[limits]\nrow = 5", "limits.rows")],
)
def test_an_unknown_key_is_an_error_with_a_suggestion(tmp_path: Path, text, meant):
    with pytest.raises(RequestInvalid, match="unknown setting") as caught:
        resolve(config=config(tmp_path, text), environ={})
    assert meant in caught.value.did_you_mean
    assert "children" in caught.value.available


def test_a_file_may_begin_with_the_mark_of_an_editor(tmp_path: Path):
    assert resolve(config=config(tmp_path, "\ufeffchildren = 3"), environ={}).settings.children == 3


@pytest.mark.parametrize("name", ["missing.toml", "."])
def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path, name):
    with pytest.raises(RequestInvalid, match="cannot read the settings file"):
        resolve(config=tmp_path / name, environ={})


def test_a_wrong_variable_is_an_error_that_names_it():
    with pytest.raises(RequestInvalid, match="CODEMODE_LIMITS_ROWS: expected a whole number, not 'many'"):
        resolve(environ={"CODEMODE_LIMITS_ROWS": "many"})


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"isolation": "requird"}, 'isolation: expected "required" or "none", not \'requird\''),
        ({"children": "4"}, "children: expected a whole number, not '4'"),
        ({"threads": True}, "threads: expected a whole number, not True"),
        ({"sweep_seconds": None}, "sweep_seconds: expected a number, not None"),
        ({"cors_origins": ["https://a.test"]}, "cors_origins: expected text, not ['https://a.test']"),
        ({"limits": {"rows": 5}}, "limits: expected Limits, not {'rows': 5}"),
    ],
)
def test_a_program_s_setting_of_another_kind_is_refused(wrong, expected):
    with pytest.raises(RequestInvalid) as refused:
        Settings(**wrong)
    assert refused.value.message == f"setting {expected}"
    assert Settings(sweep_seconds=60, data_dir=Path("x")).sweep_seconds == 60


def test_an_unknown_variable_is_a_warning():
    resolved = resolve(environ={"CODEMODE_LIMITS_ROW": "5", "CODEMODE_PORT_8000_TCP_ADDR": "10.0.0.1"})
    assert resolved.warnings == ("CODEMODE_LIMITS_ROW is no setting: did you mean CODEMODE_LIMITS_ROWS?",)


def test_where_a_service_listens_is_told_to_be_an_option():
    resolved = resolve(environ={"CODEMODE_PORT": "9000", "CODEMODE_HOST": "0.0.0.0"})
    assert resolved.warnings == (
        "CODEMODE_HOST is no setting: use codemode serve --host",
        "CODEMODE_PORT is no setting: use codemode serve --port",
    )


def test_the_port_that_kubernetes_sets_is_nobody_s_mistake():
    assert resolve(environ={"CODEMODE_PORT": "tcp://10.0.0.1:8400"}).warnings == ()


def test_an_empty_variable_is_not_set():
    assert resolve(environ={"CODEMODE_CHILDREN": "", "CODEMODE_CONFIG": ""}).settings == Settings()
