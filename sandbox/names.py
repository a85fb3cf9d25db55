"""Which names a snippet may write: as a variable, as an attribute, as something it defines.

Pure data and three questions. The policy asks them while compiling (constant names), the guards ask them again
at run time (names computed by the snippet), so both always agree.
"""

from __future__ import annotations

import keyword
import re
import types
from enum import Enum
from functools import lru_cache


class Verdict(Enum):
    """What an attribute name needs."""

    PLAIN = "plain"  # harmless on every object: compiled to ordinary attribute access
    CHECKED = "checked"  # depends on the object: read through a guard at run time
    REFUSED = "refused"  # never: refused while compiling


def _internals() -> frozenset[str]:
    """Attributes of frames, code, tracebacks, generators and coroutines: each leads to globals or to another frame.

    Read from this interpreter's own types, so that a newer Python's additions are refused too, plus the known
    ones of other versions.
    """
    kinds = (
        types.FrameType, types.CodeType, types.TracebackType,
        types.GeneratorType, types.CoroutineType, types.AsyncGeneratorType,
    )  # fmt: skip
    prefix = re.compile(r"(gi|cr|ag|tb|co|f)_")
    found = {name for kind in kinds for name in dir(kind) if prefix.match(name)}
    known = "f_back f_builtins f_code f_generator f_globals f_locals f_trace tb_frame tb_next co_code co_consts"
    known += " gi_code gi_frame gi_yieldfrom cr_await cr_code cr_frame cr_origin ag_await ag_code ag_frame"
    return frozenset(found | set(known.split()))


# `with_traceback` takes a traceback and hands it on; the asyncio ones lead from a task to its loop (which can start
# processes) or to frames; func_* are Python 2's names for the same things.
REFUSED_ATTRIBUTES = _internals() | frozenset(
    [
        "with_traceback",
        "get_loop",
        "get_stack",
        "print_stack",
        "get_coro",
        "get_context",
        "func_globals",
        "func_code",
        "func_closure",
    ]
)

# Harmless on nearly everything, dangerous on one kind of object each: str.format reads attributes by text,
# AttributeError.obj hands out what trusted code was looking at, mro() lists base classes.
CHECKED_ATTRIBUTES = frozenset({"format", "format_map", "obj", "mro"})

_OPERATORS = (
    "add sub mul matmul truediv floordiv mod divmod pow lshift rshift and xor or radd rsub rmul rmatmul rtruediv "
    "rfloordiv rmod rdivmod rpow rlshift rrshift rand rxor ror iadd isub imul imatmul itruediv ifloordiv imod ipow "
    "ilshift irshift iand ixor ior neg pos abs invert lt le eq ne gt ge"
)
_PROTOCOLS = (
    "init new post_init call repr str bytes format hash bool int float complex index round trunc floor ceil len "
    "length_hint getitem setitem delitem missing iter next reversed contains enter exit aenter aexit aiter anext "
    "await get set delete set_name init_subclass class_getitem copy deepcopy dir sizeof replace"
)


def _dunders(words: str) -> frozenset[str]:
    return frozenset(f"__{word}__" for word in words.split())


# Methods that a class of the snippet may define. Not here on purpose: __reduce__ and its kin and __setstate__ (copying
# acts on their answer), __getattribute__ and __class__ (they make `isinstance` lie to library code), __prepare__ and
# __instancecheck__ (metaclasses), __subclasshook__ (`isinstance(int, Mine)` gives it the real `type`), __del__ (it
# would run at any moment, inside trusted code too).
DEFINABLE = _dunders(_OPERATORS) | _dunders(_PROTOCOLS) | _dunders("getattr setattr delattr")

# Set in a class body as data. __match_args__ decides which attributes a class pattern reads, so the policy
# allows it only as a constant tuple of plain names.
CLASS_DATA = _dunders("slots doc match_args version author all abstractmethods")

# Variables with two underscores on either side that a snippet may read or set.
DUNDER_VARIABLES = _dunders("name doc all version author debug")

# Dunder attributes that a snippet may read; what each gives for which object is decided in guards.py.
READABLE = (
    DEFINABLE
    | _dunders("name qualname doc module class dict cause context suppress_context notes wrapped annotations mro bases")
    | _dunders("base subclasses slots match_args members dataclass_fields origin args parameters metadata")
    | _dunders("getattribute abstractmethods version author orig_class orig_bases constraints bound supertype total")
    | _dunders("required_keys optional_keys type_params value")
)

# Those of them that compile to plain access: on every object they give text, or the method of an operation.
READ_PLAINLY = _dunders("name qualname doc post_init str len iter next enter exit")

# Dunder attributes that a snippet may set, on its own functions, classes and exceptions (guards.py says which); on its
# own classes, what it may define in a class statement too (a decorator says `cls.__repr__ = show`).
WRITABLE = _dunders("name qualname doc wrapped cause dict")

# RestrictedPython's own hook names. Ours cannot be written in Python at all (they are no identifiers), so these
# would be harmless variables; refusing them tells an attacker, and a confused model, plainly.
RESERVED_VARIABLES = frozenset(
    [
        "_getattr_",
        "_getitem_",
        "_getiter_",
        "_write_",
        "_print_",
        "_print",
        "_inplacevar_",
        "_apply_",
        "_unpack_sequence_",
        "_iter_unpack_sequence_",
        "__metaclass__",
        "__builtins__",
        "__import__",
        "__build_class__",
        "__loader__",
        "__spec__",
    ]
)


def is_dunder(name: str) -> bool:
    """Tell `__name__` from `_name` and `__name`."""
    return name.startswith("__") and name.endswith("__") and len(name) > 4


def text_of(name: object) -> str:
    """The text of a computed attribute name: a subclass of str, as a StrEnum is, could change between check and use."""
    if not issubclass(type(name), str):
        raise TypeError(f"attribute name must be string, not {type(name).__name__!r}")
    return str.__str__(name)


@lru_cache(maxsize=1_024)  # `getattr` asks with the same few names in a loop
def attribute(name: str) -> Verdict:
    """Judge an attribute name that is to be read."""
    if name in REFUSED_ATTRIBUTES:
        return Verdict.REFUSED
    if is_dunder(name):
        return Verdict.CHECKED if name in READABLE else Verdict.REFUSED
    if name.startswith("_") or name in CHECKED_ATTRIBUTES:
        return Verdict.CHECKED
    return Verdict.PLAIN


def is_plain(name: object) -> bool:
    """Tell whether trusted code may read this attribute of any object on the snippet's behalf."""
    return type(name) is str and attribute(name) is Verdict.PLAIN


def is_field(name: object) -> bool:
    """Tell whether a field of a dataclass may be called so: it is set on instances, and part of text that is executed.

    Of dunder names those that a class statement may hold.
    """
    if type(name) is not str or not name.isidentifier() or keyword.iskeyword(name):
        return False
    return not is_dunder(name) or name in DEFINABLE or name in CLASS_DATA


def writable(name: str) -> bool:
    """Judge an attribute name that is to be set or deleted."""
    if name in REFUSED_ATTRIBUTES:
        return False
    return not is_dunder(name) or name in WRITABLE or name in DEFINABLE
