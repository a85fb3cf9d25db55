"""Modules whose listed names are handed out as they are.

A name is listed only if neither it nor what it returns leads to a module, a frame, a file or a code evaluator by
plain attributes (tests/attacks crawls all of them). A name that this Python does not have is left out.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

LISTED: Mapping[str, str] = {
    "abc": "ABC abstractclassmethod abstractmethod abstractproperty abstractstaticmethod",
    "array": "ArrayType array typecodes",
    "ast": "literal_eval",
    "base64": "a85decode a85encode b16decode b16encode b32decode b32encode b32hexdecode b32hexencode b64decode "
    "b64encode b85decode b85encode decodebytes encodebytes standard_b64decode standard_b64encode urlsafe_b64decode "
    "urlsafe_b64encode",
    "binascii": "Error Incomplete a2b_base64 a2b_hex a2b_qp a2b_uu b2a_base64 b2a_hex b2a_qp b2a_uu crc32 crc_hqx "
    "hexlify unhexlify",
    "bisect": "bisect bisect_left bisect_right insort insort_left insort_right",
    "calendar": "Calendar EPOCH Day FRIDAY FEBRUARY HTMLCalendar IllegalMonthError IllegalWeekdayError JANUARY MONDAY "
    "Month SATURDAY SUNDAY THURSDAY TUESDAY TextCalendar WEDNESDAY calendar day_abbr day_name firstweekday isleap "
    "leapdays mdays month month_abbr month_name monthcalendar monthrange setfirstweekday timegm week weekday "
    "weekheader",
    "cmath": "acos acosh asin asinh atan atanh cos cosh e exp inf infj isclose isfinite isinf isnan log log10 nan "
    "nanj phase pi polar rect sin sinh sqrt tan tanh tau",
    "collections": "ChainMap Counter OrderedDict UserDict UserList defaultdict deque",
    "collections.abc": "AsyncGenerator AsyncIterable AsyncIterator Awaitable Buffer Callable Collection Container "
    "Coroutine Generator Hashable ItemsView Iterable Iterator KeysView Mapping MappingView MutableMapping "
    "MutableSequence MutableSet Reversible Sequence Set Sized ValuesView",
    "colorsys": "hls_to_rgb hsv_to_rgb rgb_to_hls rgb_to_hsv rgb_to_yiq yiq_to_rgb",
    "contextlib": "AbstractAsyncContextManager AbstractContextManager AsyncContextDecorator AsyncExitStack "
    "ContextDecorator ExitStack aclosing asynccontextmanager closing contextmanager nullcontext suppress",
    "copy": "Error error replace",
    "csv": "Dialect DictReader DictWriter Error QUOTE_ALL QUOTE_MINIMAL QUOTE_NONE QUOTE_NONNUMERIC QUOTE_NOTNULL "
    "QUOTE_STRINGS Sniffer excel excel_tab field_size_limit get_dialect list_dialects reader register_dialect "
    "unix_dialect unregister_dialect writer",
    "datetime": "MAXYEAR MINYEAR UTC date datetime time timedelta timezone tzinfo",
    "decimal": "Clamped Context ConversionSyntax Decimal DecimalException DecimalTuple DivisionByZero "
    "DivisionImpossible DivisionUndefined FloatOperation Inexact InvalidContext InvalidOperation MAX_EMAX MAX_PREC "
    "MIN_EMIN MIN_ETINY Overflow ROUND_05UP ROUND_CEILING ROUND_DOWN ROUND_FLOOR ROUND_HALF_DOWN ROUND_HALF_EVEN "
    "ROUND_HALF_UP ROUND_UP Rounded Subnormal Underflow getcontext localcontext setcontext",
    "difflib": "Differ HtmlDiff IS_CHARACTER_JUNK IS_LINE_JUNK Match SequenceMatcher context_diff diff_bytes "
    "get_close_matches ndiff restore unified_diff",
    "enum": "CONFORM CONTINUOUS EJECT Enum EnumCheck Flag FlagBoundary IntEnum IntFlag KEEP NAMED_FLAGS ReprEnum "
    "STRICT StrEnum UNIQUE auto member nonmember property show_flag_values unique verify",
    "fnmatch": "filter fnmatch fnmatchcase translate",
    "fractions": "Fraction",
    "graphlib": "CycleError TopologicalSorter",
    "gzip": "BadGzipFile compress decompress",
    "hashlib": "algorithms_available algorithms_guaranteed blake2b blake2s md5 new pbkdf2_hmac scrypt sha1 sha224 "
    "sha256 sha384 sha3_224 sha3_256 sha3_384 sha3_512 sha512 shake_128 shake_256",
    "heapq": "heapify heappop heappush heappushpop heapreplace merge nlargest nsmallest",
    "hmac": "HMAC compare_digest digest new",
    "html": "escape unescape",
    "html.entities": "codepoint2name entitydefs html5 name2codepoint",
    "html.parser": "HTMLParser",
    "io": "BytesIO DEFAULT_BUFFER_SIZE SEEK_CUR SEEK_END SEEK_SET StringIO TextIOWrapper UnsupportedOperation",
    "ipaddress": "AddressValueError IPv4Address IPv4Interface IPv4Network IPv6Address IPv6Interface IPv6Network "
    "NetmaskValueError collapse_addresses get_mixed_type_key ip_address ip_interface ip_network "
    "summarize_address_range",
    "itertools": "accumulate batched chain combinations combinations_with_replacement compress count cycle dropwhile "
    "filterfalse groupby islice pairwise permutations product repeat starmap takewhile tee zip_longest",
    "json": "JSONDecodeError JSONDecoder JSONEncoder dump dumps load loads",
    "json.decoder": "JSONDecodeError JSONDecoder",
    "json.encoder": "JSONEncoder",
    "keyword": "iskeyword issoftkeyword kwlist softkwlist",
    "math": "acos acosh asin asinh atan atan2 atanh cbrt ceil comb copysign cos cosh degrees dist e erf erfc exp exp2 "
    "expm1 fabs factorial floor fma fmod frexp fsum gamma gcd hypot inf isclose isfinite isinf isnan isqrt lcm ldexp "
    "lgamma log log10 log1p log2 modf nan nextafter perm pi pow prod radians remainder sin sinh sqrt sumprod tan tanh "
    "tau trunc ulp",
    "numbers": "Complex Integral Number Rational Real",
    "random": "Random SystemRandom betavariate binomialvariate choice choices expovariate gammavariate gauss "
    "getrandbits getstate lognormvariate normalvariate paretovariate randbytes randint random randrange sample seed "
    "setstate shuffle triangular uniform vonmisesvariate weibullvariate",
    "re": "A ASCII DOTALL I IGNORECASE L LOCALE M MULTILINE Match NOFLAG Pattern PatternError RegexFlag S U UNICODE "
    "VERBOSE X compile error escape findall finditer fullmatch match purge search split sub subn",
    "secrets": "SystemRandom choice compare_digest randbelow randbits token_bytes token_hex token_urlsafe",
    "shlex": "join quote split",
    "statistics": "LinearRegression NormalDist StatisticsError correlation covariance fmean geometric_mean "
    "harmonic_mean kde kde_random linear_regression mean median median_grouped median_high median_low mode multimode "
    "pstdev pvariance quantiles stdev variance",
    "string": "Template ascii_letters ascii_lowercase ascii_uppercase capwords digits hexdigits octdigits printable "
    "punctuation whitespace",
    "struct": "Struct calcsize error iter_unpack pack pack_into unpack unpack_from",
    "textwrap": "TextWrapper dedent fill indent shorten wrap",
    "time": "altzone asctime ctime daylight gmtime localtime mktime monotonic monotonic_ns perf_counter "
    "perf_counter_ns process_time process_time_ns sleep strftime strptime struct_time thread_time thread_time_ns time "
    "time_ns timezone tzname",
    "tomllib": "TOMLDecodeError loads",
    "types": "AsyncGeneratorType BuiltinFunctionType BuiltinMethodType CoroutineType EllipsisType FunctionType "
    "GeneratorType LambdaType MappingProxyType MethodType NoneType NotImplementedType SimpleNamespace UnionType",
    "typing": "AbstractSet Annotated Any AnyStr AsyncContextManager AsyncGenerator AsyncIterable AsyncIterator "
    "Awaitable BinaryIO Callable ChainMap ClassVar Collection Concatenate Container ContextManager Coroutine Counter "
    "DefaultDict Deque Dict Final FrozenSet Generator Generic Hashable IO ItemsView Iterable Iterator KeysView List "
    "Literal LiteralString Mapping MappingView Match MutableMapping MutableSequence MutableSet NamedTuple Never "
    "NewType NoReturn NotRequired Optional OrderedDict ParamSpec Pattern Protocol ReadOnly Required Reversible Self "
    "Sequence Set Sized SupportsAbs SupportsBytes SupportsComplex SupportsFloat SupportsIndex SupportsInt "
    "SupportsRound TYPE_CHECKING Text TextIO Tuple Type TypeAlias TypeAliasType TypeGuard TypeIs TypeVar TypeVarTuple "
    "TypedDict Union Unpack ValuesView assert_never assert_type cast final is_typeddict overload override "
    "runtime_checkable",
    "unicodedata": "bidirectional category combining decimal decomposition digit east_asian_width is_normalized "
    "lookup mirrored name normalize numeric unidata_version",
    "urllib.parse": "DefragResult ParseResult SplitResult parse_qs parse_qsl quote quote_from_bytes quote_plus "
    "unquote unquote_plus unquote_to_bytes urldefrag urlencode urljoin urlparse urlsplit urlunparse urlunsplit",
    "uuid": "NAMESPACE_DNS NAMESPACE_OID NAMESPACE_URL NAMESPACE_X500 UUID uuid3 uuid4 uuid5",
    "zlib": "Z_BEST_COMPRESSION Z_BEST_SPEED Z_DEFAULT_COMPRESSION adler32 compress compressobj crc32 decompress "
    "decompressobj error MAX_WBITS DEFLATED",
    "zoneinfo": "ZoneInfo ZoneInfoNotFoundError",
}  # fmt: skip


def contents(module: str) -> dict[str, Any]:
    """The listed names of a module, as its real objects."""
    real = importlib.import_module(module)
    return {name: getattr(real, name) for name in LISTED[module].split() if hasattr(real, name)}
