"""The system-call filter as a program: evaluated for both architectures, compared with the kernel's own tables."""

from __future__ import annotations

import platform
import re
from pathlib import Path

import pytest

from sandbox.seccomp import ALLOW, KILL, REFUSE, Instruction, instructions
from sandbox.syscalls import ALLOWED, ARCHITECTURES, KILLED, NUMBERS

MACHINES = sorted(NUMBERS)
I386, ARM = 0x40000003, 0x40000028


def verdict(program: list[Instruction], architecture: int, number: int, *arguments: int) -> int:
    """Run the classic BPF program as the kernel would."""
    words = {0: number & 0xFFFFFFFF, 4: architecture}
    for index in range(6):
        value = arguments[index] if index < len(arguments) else 0
        words[16 + 8 * index] = value & 0xFFFFFFFF
        words[20 + 8 * index] = (value >> 32) & 0xFFFFFFFF
    at, accumulator = 0, 0
    while True:
        code, if_true, if_false, k = program[at]
        at += 1
        if code == 0x20:
            accumulator = words[k]
        elif code == 0x54:
            accumulator &= k
        elif code == 0x06:
            return k
        else:
            holds = {0x15: accumulator == k, 0x35: accumulator >= k, 0x45: bool(accumulator & k)}[code]
            at += if_true if holds else if_false


def _verdict(machine: str, name: str, *arguments: int) -> int:
    return verdict(instructions(machine), ARCHITECTURES[machine], NUMBERS[machine][name], *arguments)


@pytest.mark.parametrize("machine", MACHINES)
def test_every_number_that_is_not_listed_is_refused_or_fatal(machine: str) -> None:
    program, numbers = instructions(machine), NUMBERS[machine]
    allowed = {numbers[name] for name in ALLOWED if name in numbers}
    for number in range(600):
        answer = verdict(program, ARCHITECTURES[machine], number)
        assert answer in (ALLOW, REFUSE, KILL)
        if number not in allowed:
            assert answer != ALLOW


@pytest.mark.parametrize("machine", MACHINES)
def test_fatal_calls_are_fatal(machine: str) -> None:
    assert {_verdict(machine, name) for name in KILLED} == {KILL}


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("architecture", [I386, ARM, 0, 0xFFFFFFFF])
def test_another_architecture_is_fatal(machine: str, architecture: int) -> None:
    assert verdict(instructions(machine), architecture, NUMBERS[machine]["getpid"]) == KILL


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("number", [0x40000000, 0x40000001, 0x40000000 + 39, 0x7FFFFFFF, 0xFFFFFFFF])
def test_the_x32_bit_is_fatal(machine: str, number: int) -> None:
    assert verdict(instructions(machine), ARCHITECTURES[machine], number) == KILL


ARGUMENT_CASES = [
    ("mmap", (0, 4096, 3, 0x22), ALLOW),
    ("mmap", (0, 4096, 7, 0x22), REFUSE),
    ("mmap", (0, 4096, 4, 0x22), REFUSE),
    ("mmap", (0, 4096, 3, 0x40022), REFUSE),
    ("mprotect", (0, 4096, 3), ALLOW),
    ("mprotect", (0, 4096, 5), REFUSE),
    ("mprotect", (0, 4096, (1 << 32) | 4), REFUSE),
    ("madvise", (0, 4096, 4), ALLOW),
    ("madvise", (0, 4096, 100), REFUSE),
    ("futex", (0, 128), ALLOW),
    ("futex", (0, 9 | 128 | 256), ALLOW),
    ("futex", (0, 6 | 128), REFUSE),
    ("futex", (0, 12), REFUSE),
    ("clock_gettime", (2,), ALLOW),
    ("clock_gettime", (-6,), REFUSE),
    ("clock_nanosleep", (1,), ALLOW),
    ("recvfrom", (3, 0, 10, 0, 0, 0), ALLOW),
    ("recvfrom", (3, 0, 10, 0x40, 0, 0), ALLOW),
    ("recvfrom", (3, 0, 10, 1, 0, 0), REFUSE),
    ("sendto", (3, 0, 10, 0, 0, 0), ALLOW),
    ("sendto", (3, 0, 10, 1, 0, 0), REFUSE),
    ("sendto", (3, 0, 10, 0, 0x1000, 16), REFUSE),
    ("sendto", (3, 0, 10, 0, 1 << 32, 16), REFUSE),
    ("setitimer", (0,), ALLOW),
    ("setitimer", (1,), REFUSE),
    ("prlimit64", (0, 9), ALLOW),
    ("prlimit64", (0, 0), ALLOW),
    ("prlimit64", (0, 7), REFUSE),
    ("prlimit64", (1, 9), REFUSE),
]


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize(("name", "arguments", "expected"), ARGUMENT_CASES)
def test_arguments_are_looked_at(machine: str, name: str, arguments: tuple[int, ...], expected: int) -> None:
    assert _verdict(machine, name, *arguments) == expected


def test_both_tables_name_the_same_calls() -> None:
    only_there = {"time"}  # the generic table never had it
    assert set(NUMBERS["x86_64"]) - set(NUMBERS["aarch64"]) == only_there
    assert set(NUMBERS["aarch64"]) <= set(NUMBERS["x86_64"])
    assert set(ALLOWED) | set(KILLED) == set(NUMBERS["x86_64"])
    assert not set(ALLOWED) & set(KILLED)


def test_no_table_means_no_filter() -> None:
    with pytest.raises(OSError, match="riscv64"):
        instructions("riscv64")


HEADERS = {
    "x86_64": ("/usr/include/x86_64-linux-gnu/asm/unistd_64.h", "/usr/include/asm/unistd_64.h"),
    "aarch64": ("/usr/include/asm-generic/unistd.h",),
}


@pytest.mark.parametrize("machine", MACHINES)
def test_numbers_are_the_kernels(machine: str) -> None:
    header = next((Path(path) for path in HEADERS[machine] if Path(path).exists()), None)
    if header is None:
        pytest.skip("this machine has no kernel headers for it")
    # The generic table has two names for a few calls: __NR3264_x is __NR_x on 64-bit machines.
    found = dict(re.findall(r"^#define __NR(?:3264)?_(\w+)\s+(\d+)", header.read_text(), re.MULTILINE))
    for name, number in NUMBERS[machine].items():
        assert int(found[name]) == number, name


def test_this_machine_has_a_table() -> None:
    if platform.machine() not in NUMBERS:
        pytest.skip("children cannot be confined here")
    assert 100 < len(instructions(platform.machine())) < 250
