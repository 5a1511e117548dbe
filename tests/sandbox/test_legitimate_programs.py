"""Honest programs that use much of what Python has: long integers, marks, modules of the standard library."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from autotelic.sandbox import Limits, Sandbox, decode
from autotelic.sandbox.cage import MODULES

ATTACKS = Path(__file__).resolve().parents[1] / "attacks"
USES = {
    "hashlib": "hashlib.sha256(b'x').hexdigest()[:8] == '2d711642' and len(hashlib.md5(b'').digest()) == 16",
    "queue": "(lambda q: (q.put(1), q.get()))(queue.PriorityQueue())[1] == 1",
    "logging": "logging.getLogger('x').warning('said') is None",
    "threading": "threading.Lock().acquire() and threading.RLock() is not None",
    "uuid": "str(uuid.uuid5(uuid.NAMESPACE_DNS, 'x'))[14] == '5' and len(str(uuid.uuid4())) == 36",
    "zlib": "zlib.decompress(zlib.compress(b'a' * 999)) == b'a' * 999",
    "csv": "next(csv.reader(['a,\"b,c\"'])) == ['a', 'b,c']",
    "difflib": "difflib.get_close_matches('appel', ['ape', 'apple']) == ['apple', 'ape']",
    "numbers": "isinstance(3, numbers.Integral)",
    "secrets": "len(secrets.token_hex(4)) == 8",
    "pathlib": "str(pathlib.PurePosixPath('a') / 'b') == 'a/b'",
    "urllib.parse": "urllib.parse.quote('a b') == 'a%20b'",
    "os.path": "os.path.join('a', 'b') == 'a/b'",
    "ast": "ast.literal_eval('[1]') == [1]",
    "hmac": "len(hmac.new(b'k', b'm', 'sha256').digest()) == 32",
    "graphlib": "list(graphlib.TopologicalSorter({2: [1]}).static_order()) == [1, 2]",
    "ipaddress": "str(ipaddress.ip_address('10.0.0.1') + 1) == '10.0.0.2'",
    "html": "html.escape('<') == '&lt;'",
    "shlex": "shlex.split('a \"b c\"') == ['a', 'b c']",
    "pickle": "pickle.loads(pickle.dumps([1])) == [1]",
    "inspect": "list(inspect.signature(lambda a, b=1: a).parameters) == ['a', 'b']",
    "io": "io.StringIO('a').read() == 'a'",
}


@pytest.fixture(scope="module", params=[True, False], ids=["core", "python"])
def box(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    with Sandbox(Limits(wall_s=30.0, cpu_s=10.0), workers=1, require="L0", core=request.param) as box:
        yield box


@pytest.mark.parametrize("name", USES)
def test_a_module_serves(name: str, box: Sandbox) -> None:
    run = box.run(f"import {name}\ndef f(): return bool({USES[name]})", entry="f", inputs=[[]])
    assert run.outputs == ("true",), run.errors


def test_every_module_can_be_imported(box: Sandbox) -> None:
    source = "import importlib\ndef f(name):\n    __import__(name)\n    return True"
    run = box.run(source.replace("import importlib\n", ""), entry="f", inputs=[[name] for name in MODULES])
    assert {name: error for name, error in zip(MODULES, run.errors, strict=True) if error} == {}


@pytest.mark.parametrize("name", ["socket", "subprocess", "ctypes", "multiprocessing", "tempfile", "shutil"])
def test_what_only_reaches_out_cannot_be_imported(name: str, box: Sandbox) -> None:
    run = box.run(f"def f():\n    import {name}", entry="f", inputs=[[]])
    assert "ModuleNotFoundError" in run.errors[0]


HARMLESS = frozenset(
    [
        "__future__",
        "abc",
        "array",
        "base64",
        "binascii",
        "bisect",
        "calendar",
        "cmath",
        "collections",
        "collections.abc",
        "colorsys",
        "contextlib",
        "copy",
        "dataclasses",
        "datetime",
        "_strptime",
        "decimal",
        "enum",
        "errno",
        "fractions",
        "functools",
        "getopt",
        "heapq",
        "itertools",
        "json",
        "keyword",
        "locale",
        "math",
        "numbers",
        "operator",
        "pprint",
        "random",
        "re",
        "reprlib",
        "statistics",
        "string",
        "struct",
        "textwrap",
        "time",
        "token",
        "traceback",
        "types",
        "typing",
        "unicodedata",
    ]
)
"""Modules that compute and name nothing outside; `module_openers` tries them all for a way to open a file."""


def test_each_module_that_could_reach_out_has_an_attack_that_tries() -> None:
    texts = [path.read_text(encoding="utf-8") for path in ATTACKS.glob("*/*.py")]
    named = {
        name
        for text in texts
        for line in re.findall(r"^\s*(?:import|from) (.+)", text, re.MULTILINE)
        for name in re.findall(r"[\w.]+", line)
    }
    assert set(MODULES) - HARMLESS - named == set()
    assert set(MODULES) & set(sys.stdlib_module_names) >= {name for name in MODULES if "." not in name}


def test_long_integers_are_returned_with_the_core_and_without(box: Sandbox) -> None:
    run = box.run("import math\ndef f(n): return math.factorial(n)", entry="f", inputs=[[3000], [5]])
    assert run.status == "ok", run.reason
    assert len(run.outputs[0] or "") == 9131
    assert decode(run.outputs[0] or "") % 3001 != 0  # type: ignore[operator]


def test_a_source_may_begin_with_a_mark(box: Sandbox) -> None:
    for source in ("\ufeffdef f(): return 1", "\ufeffdef f():\r\n\treturn 1\r\n"):
        assert box.run(source, entry="f", inputs=[[]]).outputs == ("1",)
