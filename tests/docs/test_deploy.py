"""The recipes for deployment name what exists: extras, paths, commands, options, settings, users."""

from __future__ import annotations

import ast
import json
import re
import shlex
import shutil
import subprocess
import tomllib
from pathlib import Path

import click
import pytest

from codemode.api.app import OPERATIONS
from codemode.cli import COMMANDS, main
from codemode.settings import Settings, keys, variable

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "Dockerfile"
UNIT = ROOT / "deploy" / "codemode.service"
PAGE = ROOT / "docs" / "how-to" / "deploy.md"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
WORDS = {"ARG", "FROM", "WORKDIR", "COPY", "RUN", "ENV", "USER", "VOLUME", "EXPOSE", "HEALTHCHECK", "STOPSIGNAL",
         "ENTRYPOINT", "CMD"}  # fmt: skip


def test_the_source_distribution_has_what_its_makefile_and_its_tests_run() -> None:
    included = set(PROJECT["tool"]["hatch"]["build"]["targets"]["sdist"]["include"])
    assert {*PROJECT["tool"]["mypy"]["packages"], *PROJECT["tool"]["pytest"]["ini_options"]["testpaths"]} <= included


def instructions() -> list[tuple[str, str]]:
    """Every instruction with its arguments, comments left out and continued lines joined."""
    text = re.sub(r"^#.*\n", "", DOCKERFILE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    lines = [" ".join(line.split()) for line in text.replace("\\\n", " ").splitlines()]
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines if line)]


def given(word: str) -> list[str]:
    return [rest for each, rest in instructions() if each == word]


def environment() -> dict[str, str]:
    return dict(pair.split("=", 1) for rest in given("ENV") for pair in shlex.split(rest))


def unit(key: str) -> list[str]:
    lines = UNIT.read_text(encoding="utf-8").splitlines()
    return [line.partition("=")[2] for line in lines if line.startswith(f"{key}=")]


def command(words: list[str]) -> click.Command:
    """The command that `codemode WORDS…` means, once its options are known to be taken."""
    assert words[0] in COMMANDS
    found = main.get_command(click.Context(main), words[0])
    assert found is not None
    if isinstance(found, click.Group):
        found = found.commands[words[1]]
    taken = {name for each in found.params for name in each.opts}
    assert {word for word in words if word.startswith("--")} <= taken
    return found


def test_every_instruction_is_one_of_docker_s() -> None:
    assert {word for word, _ in instructions()} <= WORDS
    assert [rest.split()[0] for rest in given("FROM")] == ["${PYTHON_IMAGE}"] * 2


def test_the_base_is_a_slim_python_that_the_project_takes() -> None:
    found = re.fullmatch(r"PYTHON_IMAGE=python:(\d+)\.(\d+)-slim\S*", given("ARG")[0])
    assert found is not None
    assert (int(found[1]), int(found[2])) >= (3, 11)
    assert f"Programming Language :: Python :: {found[1]}.{found[2]}" in PROJECT["project"]["classifiers"]


@pytest.mark.parametrize("text", [DOCKERFILE, PAGE], ids=lambda path: path.name)
def test_every_extra_exists(text: Path) -> None:
    named = re.findall(r"(?:codemode|[.\w/])\[([\w,]+)\]", text.read_text(encoding="utf-8"))
    assert named
    extras = PROJECT["project"]["optional-dependencies"]
    assert {extra for each in named for extra in each.split(",")} <= set(extras)


def test_the_image_has_what_any_setting_of_the_service_needs() -> None:
    [every] = PROJECT["project"]["optional-dependencies"]["all"]
    service = set(re.findall(r"\w+", every.partition("[")[2])) - {"client"} | {"postgres"}
    named = re.findall(r"[.\w]\[([\w,]+)\]", DOCKERFILE.read_text(encoding="utf-8"))
    assert [set(each.split(",")) for each in named] == [service] * 2


def test_what_is_copied_exists_and_is_not_left_out_of_the_context() -> None:
    kept = {
        line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line.startswith("!")
    }
    for rest in given("COPY"):
        words = [word for word in rest.split() if not word.startswith("--")]
        if "--from=build" not in rest:
            for source in words[:-1]:
                assert (ROOT / source).exists(), source
                assert source.split("/")[0] in kept, source
    assert kept == {name for name in kept if (ROOT / name).exists()}
    build = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert kept >= {*build, "pyproject.toml", PROJECT["project"]["readme"], *PROJECT["project"]["license-files"]}


def test_the_image_runs_as_somebody_who_is_not_root_and_who_owns_the_data() -> None:
    [made] = [rest for rest in given("RUN") if "useradd" in rest]
    [user] = given("USER")
    number = user.split(":")[0]
    assert int(number) > 0
    assert f"--uid {number}" in made
    assert "install --directory --owner codemode --group codemode --mode 0700 /data" in made
    assert given("VOLUME") == [environment()["CODEMODE_DATA_DIR"]] == ["/data"]
    words = [word for word, _ in instructions()]
    assert words.index("USER") > len(words) - 1 - words[::-1].index("RUN")  # nothing is installed after it


def test_the_image_starts_the_service_itself_without_a_shell() -> None:
    assert json.loads(given("ENTRYPOINT")[0]) == ["codemode"]
    serve = command(json.loads(given("CMD")[0]))
    port = next(each.default for each in serve.params if each.name == "port")
    assert given("EXPOSE") == [str(port)]
    assert "codemode" in PROJECT["project"]["scripts"]


def test_the_health_check_is_python_that_asks_a_path_of_the_service() -> None:
    check = json.loads(given("HEALTHCHECK")[0].partition("CMD ")[2])
    assert check[:2] == ["python", "-c"]
    ast.parse(check[2])
    path = re.search(r"127\.0\.0\.1:8400(/\w+)", check[2])
    assert path is not None
    assert path[1] in {each.path for each in OPERATIONS if each.method == "GET" and each.scope is None}


def test_every_setting_that_is_set_exists() -> None:
    set_here = [*environment(), *(pair.split("=")[0] for pair in " ".join(unit("Environment")).split())]
    known = {variable(key) for key in keys()}
    named = {name for name in set_here if name.startswith("CODEMODE_")}
    assert named
    assert named <= known


def test_the_unit_runs_a_command_that_exists_as_the_user_that_the_page_makes() -> None:
    path, *words = unit("ExecStart")[0].split()
    command(words)
    page = PAGE.read_text(encoding="utf-8")
    assert f"python3 -m venv {Path(path).parents[1]}" in page
    assert f"/nologin {unit('User')[0]}\n" in page
    assert unit("StateDirectoryMode") == ["0700"]
    assert f"CODEMODE_DATA_DIR=/var/lib/{unit('StateDirectory')[0]}" in unit("Environment")[0]


def test_the_unit_leaves_the_children_what_they_are_confined_with() -> None:
    from sandbox.namespaces import _KINDS

    assert set(unit("RestrictNamespaces")[0].split()) >= {"user", *_KINDS}
    calls = unit("SystemCallFilter")[0].split()
    assert {"@mount", "unshare", "seccomp", "landlock_create_ruleset", "landlock_restrict_self"} <= set(calls)
    assert unit("NoNewPrivileges") == ["yes"]
    assert unit("CapabilityBoundingSet") == [""]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze")
def test_systemd_knows_every_line_of_the_unit(tmp_path: Path) -> None:
    copy = tmp_path / UNIT.name
    copy.write_text(re.sub(r"(?m)^ExecStart=\S+", "ExecStart=/bin/true", UNIT.read_text(encoding="utf-8")))
    done = subprocess.run(["systemd-analyze", "verify", str(copy)], capture_output=True, text=True, timeout=60)
    assert not [line for line in done.stderr.splitlines() if UNIT.name in line]


def test_the_proxies_let_through_a_body_as_large_as_the_service_takes() -> None:
    sizes = re.findall(r"(?:client_max_body_size|max_size) (\d+)(\w+)", PAGE.read_text(encoding="utf-8"))
    units = {"g": 2**30, "GiB": 2**30, "GB": 10**9}
    assert [int(number) * units[unit] for number, unit in sizes] == [Settings().upload_bytes] * 2


def test_commands_of_the_page_exist() -> None:
    lines = PAGE.read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    said = [
        line.split("codemode ", 1)[1] for line in lines if re.search(r"(data|-v \S+|exec codemode) codemode \w", line)
    ]
    found = [re.sub(r"^.*?codemode (?=token|doctor)", "", each) for each in said]
    for each in found:
        command(shlex.split(each))
    assert len(found) >= 2
