"""The seccomp filter: which system calls a confined child may make, compiled to the kernel's classic BPF.

A child computes and talks on one socket, so the list is short and closed: a call that is not named answers EPERM, and
one that only an attack makes ends the child. Arguments are compared where a call is needed in one form only.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence

from sandbox.kernel import SeccompFilter, machine
from sandbox.syscalls import ALLOWED, ARCHITECTURES, KILLED, NUMBERS

ALLOW = 0x7FFF0000
KILL = 0x80000000  # the whole process, not the thread
REFUSE = 0x00050000 | 1  # EPERM

_LOAD = 0x20  # A = word at offset k of the kernel's description of the call
_EQUAL = 0x15
_AT_LEAST = 0x35
_ANY_BIT = 0x45
_AND = 0x54  # A &= k
_RETURN = 0x06

_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
_X32_BIT = 0x40000000  # the x32 entry points share x86_64's audit id and differ in this bit of the number

Instruction = tuple[int, int, int, int]  # code, jump if true, jump if false, k


def _load_argument(index: int) -> Instruction:
    # The low word, on both (little-endian) architectures. Every flag compared below is in it; an address is in both.
    return (_LOAD, 0, 0, _ARGUMENTS + 8 * index)


def _none_of(index: int, bits: int) -> list[Instruction]:
    """Refuse the call when its argument has any of these bits."""
    return [_load_argument(index), (_ANY_BIT, 0, 1, bits), (_RETURN, 0, 0, REFUSE)]


def _nothing(index: int) -> list[Instruction]:
    """Refuse the call unless its argument, an address, is null: in both words."""
    low = _load_argument(index)
    high = (_LOAD, 0, 0, low[3] + 4)
    return [low, (_EQUAL, 0, 2, 0), high, (_EQUAL, 1, 0, 0), (_RETURN, 0, 0, REFUSE)]


def _below(index: int, bound: int) -> list[Instruction]:
    """Refuse the call when its argument, read as unsigned, is `bound` or more."""
    return [_load_argument(index), (_AT_LEAST, 0, 1, bound), (_RETURN, 0, 0, REFUSE)]


def _one_of(index: int, values: Sequence[int], mask: int = 0xFFFFFFFF) -> list[Instruction]:
    """Refuse the call when its argument, under the mask, is none of these."""
    compare = [(_EQUAL, len(values) - place, 0, value) for place, value in enumerate(values)]
    return [_load_argument(index), (_AND, 0, 0, mask), *compare, (_RETURN, 0, 0, REFUSE)]


PROT_EXEC = 4
MAP_HUGETLB = 0x40000
MSG_DONTWAIT = 0x40
# Memory that is both new and executable is how shellcode starts; the host's huge pages are somebody's reservation.
# MSG_OOB and its kin on Unix sockets have had kernel bugs of their own, so send and receive go without flags.
# Futexes are used for waiting and waking only: priority inheritance and requeueing are where their bugs were.
# A clock id of 12 or more (a negative one is such) names another process's clock. Limits can be read and lowered for
# the child itself, which is how a run gets less memory than its siblings; without capabilities none can be raised.
_CONDITIONS: dict[str, tuple[list[Instruction], ...]] = {
    "recvfrom": (_one_of(3, (0, MSG_DONTWAIT)),),
    "sendto": (_one_of(3, (0,)), _nothing(4)),
    "futex": (_one_of(1, (0, 1, 9, 10), mask=0x7F),),
    "mmap": (_none_of(2, PROT_EXEC), _none_of(3, MAP_HUGETLB)),
    "mprotect": (_none_of(2, PROT_EXEC),),
    "madvise": (_one_of(2, (4, 8, 14)),),  # DONTNEED, FREE, HUGEPAGE
    "clock_gettime": (_below(0, 12),),
    "clock_getres": (_below(0, 12),),
    "clock_nanosleep": (_below(0, 12),),
    "setitimer": (_one_of(0, (0,)),),
    "prlimit64": (_one_of(0, (0,)), _one_of(1, (0, 9))),  # this process; CPU and address space
}


def _section(number: int, body: list[Instruction]) -> list[Instruction]:
    """`body` for the call of this number, skipped for others."""
    return [(_EQUAL, 0, len(body), number), *body]


def _kill_section(numbers: Iterable[int]) -> list[Instruction]:
    listed = list(numbers)
    checks = [(_EQUAL, len(listed) - place, 0, number) for place, number in enumerate(listed)]
    return [*checks, (_RETURN, 0, 0, REFUSE), (_RETURN, 0, 0, KILL)]


def instructions(architecture: str) -> list[Instruction]:
    """The filter for one architecture. Raises OSError where there is no table for it."""
    if architecture not in NUMBERS:
        raise OSError(f"no system-call table for {architecture}; x86_64 and aarch64 have one")
    numbers = NUMBERS[architecture]
    program: list[Instruction] = [
        # The 32-bit entry points (int 0x80 and kin) use other numbers for the same calls: another architecture dies.
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, ARCHITECTURES[architecture]),
        (_RETURN, 0, 0, KILL),
        (_LOAD, 0, 0, _NUMBER),
        (_AT_LEAST, 0, 1, _X32_BIT),
        (_RETURN, 0, 0, KILL),
    ]
    for name in ALLOWED:
        if name in numbers:
            conditions = [instruction for part in _CONDITIONS.get(name, ()) for instruction in part]
            program += _section(numbers[name], [*conditions, (_RETURN, 0, 0, ALLOW)])
    return program + _kill_section(numbers[name] for name in KILLED if name in numbers)


def assemble(program: Iterable[Instruction]) -> bytes:
    """The instructions as the kernel reads them."""
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in program)


def assembled() -> SeccompFilter:
    """The filter for this machine, for each child to install; that needs no_new_privs. Raises OSError."""
    program = instructions(machine())
    return SeccompFilter(assemble(program), len(program))
