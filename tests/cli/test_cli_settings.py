from __future__ import annotations

import json
import re
import sys
import tomllib

import pytest

from codemode.cli.settings import sample_file
from codemode.settings import Settings, flat, keys, resolve


def test_the_sample_names_every_key_with_its_reason():
    text = sample_file()
    for key in keys():
        name = key.partition(".")[2] or key
        assert re.search(rf"^# .{{15,}}\n# {name} = ", text, re.MULTILINE), key


def test_the_sample_is_json_where_that_is_asked_for(cli):
    assert cli("settings", "--sample", "--json").json["result"] == {"sample": sample_file()}


def test_a_host_is_told_what_the_environment_of_a_shell_names(cli, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CODEMODE_DATA_DIR", "here")
    monkeypatch.setenv("CODEMODE_CONFIG", "s.toml")
    named = tomllib.loads(cli("mcp", "--print-config", "codex").out)["mcp_servers"]["codemode"]["args"]
    assert named[-5:] == ["--data-dir", f"{tmp_path}/here", "--config", f"{tmp_path}/s.toml", "mcp"]


def test_settings_for_a_host_are_json_where_that_is_asked_for(cli):
    told = cli("mcp", "--print-config", "codex")
    result = cli("mcp", "--print-config", "codex", "--json").json["result"]
    assert result["settings"] + "\n" == told.out
    assert result["file"] in told.err


def test_settings_for_a_host_say_what_is_missing_and_keep_letters_of_a_path(cli, monkeypatch, tmp_path):
    assert "pip install" not in cli("mcp", "--print-config", "zed").err
    monkeypatch.setitem(sys.modules, "mcp", None)
    told = cli("mcp", "--print-config", "zed", "--data-dir", tmp_path / "données")
    assert "pip install 'codemode[mcp]'" in told.err
    assert "/données" in told.out


def test_the_sample_parses_to_the_defaults(tmp_path):
    path = tmp_path / "sample.toml"
    path.write_text(sample_file())
    assert resolve(config=path, environ={}).settings == Settings()


def test_the_sample_uncommented_parses_to_the_defaults_too(tmp_path):
    text = re.sub(r"^# (?=\w+ = )", "", sample_file(), flags=re.MULTILINE)
    assert len(tomllib.loads(text)["limits"]) == len([key for key in keys() if key.startswith("limits.")])
    path = tmp_path / "sample.toml"
    path.write_text(text)
    settings = resolve(config=path, environ={}).settings
    expected = flat(Settings()) | {"data_dir": settings.data_dir}
    assert flat(settings) == expected
    assert settings.data_dir.endswith("/.local/share/codemode")


def test_settings_shows_values_and_sources(cli, data_dir):
    answer = cli("settings", "--json").json
    assert answer["result"]["data_dir"] == {"value": str(data_dir), "source": "environment CODEMODE_DATA_DIR"}
    assert answer["result"]["limits.rows"] == {"value": 10_000, "source": "default"}
    assert "environment CODEMODE_CHILDREN" in cli("settings").out


def test_options_stand_before_or_after_the_command(cli, tmp_path):
    config = tmp_path / "codemode.toml"
    config.write_text("children = 7\nlog_entries = 5\n")
    before = cli("--json", "--config", config, "--data-dir", "/x", "settings").json
    after = cli("settings", "--json", "--config", config, "--data-dir", "/x").json
    assert before == after
    assert before["result"]["log_entries"] == {"value": 5, "source": f"file {config}"}
    assert before["result"]["data_dir"] == {"value": "/x", "source": "argument"}


def test_the_data_directory_follows_xdg(cli, monkeypatch):
    monkeypatch.delenv("CODEMODE_DATA_DIR")
    monkeypatch.setenv("XDG_DATA_HOME", "/srv/data")
    assert cli("settings", "--json").json["result"]["data_dir"]["value"] == "/srv/data/codemode"


def test_a_misspelt_variable_is_told_on_standard_error(cli, monkeypatch):
    monkeypatch.setenv("CODEMODE_LIMITS_ROW", "5")
    answer = cli("settings", "--json")
    assert "did you mean CODEMODE_LIMITS_ROWS?" in answer.err
    assert answer.json["warnings"] == ["CODEMODE_LIMITS_ROW is no setting: did you mean CODEMODE_LIMITS_ROWS?"]


def test_a_wrong_settings_file_is_wrong_usage(cli, tmp_path):
    config = tmp_path / "codemode.toml"
    config.write_text("childs = 7\n")
    answer = cli("settings", "--config", config)
    assert answer.code == 2
    assert "unknown setting childs" in answer.err
    assert "did you mean: children" in answer.err
    assert "[request.invalid]" in answer.err


def test_the_prompt_is_printed_and_answered(cli, monkeypatch):
    monkeypatch.setenv("CODEMODE_LIMITS_ROWS", "77")
    assert "77 rows a query answers" in cli("prompt").out
    result = cli("prompt", "--json").json["result"]
    assert set(result) == {"prompt", "helpers", "types", "limits"}
    assert result["limits"]["rows"] == 77
    assert {"name", "signature", "summary", "doc", "parameters", "returns"} == set(result["helpers"][0])


@pytest.mark.parametrize(
    ("api", "name"),
    [
        ("anthropic", lambda tool: tool["name"]),
        ("openai", lambda tool: tool["function"]["name"]),
        ("openai-responses", lambda tool: tool["name"]),
    ],
)
def test_the_tools_of_a_session_are_printed_as_the_api_takes_them(cli, api, name):
    printed = json.loads(cli("prompt", "--tools", api).out)
    assert [name(tool) for tool in printed][:2] == ["execute_code", "query"]
    assert cli("prompt", "--tools", api, "--json").json["result"]["tools"] == printed


@pytest.mark.parametrize("form", [(), ("--json",)], ids=["table", "JSON"])
def test_what_looks_like_a_secret_is_masked(cli, monkeypatch, form):
    monkeypatch.setenv("CODEMODE_CORS_ORIGINS", "https://ann:s3cret@host,cm_abcdefgh123456789")
    shown = cli("settings", *form)
    assert shown.code == 0
    assert "https://ann:" in shown.out
    assert "s3cret" not in shown.out
    assert "abcdefgh" not in shown.out
