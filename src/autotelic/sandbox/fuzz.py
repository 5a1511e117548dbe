"""The fuzz corpus: random programs, from honest to hostile to nonsense, for a soak to run.

Each comes with the status it must get, or with `ANY`. Three sources: templates whose status is known; honest
programs, composed of `LINES`; and mutants of those and of `HOSTILE`, made by moving tokens or bytes about.
None of them is ever run but in a sandbox.
"""

from __future__ import annotations

import random
import re

from autotelic.sandbox.run import Job
from autotelic.types import Json

ANY = ""
"""Stands for a status where any will do: nobody knows what a mutant does."""
TEMPLATES = {
    "ok": "def f(x):\n    return [x, {n}, 'abc'[:{k}]]\n",
    "error": "def f(x):\n    return [x][{n} + 1]\n",
    "refused": "def f(x) return {n}\n",
    "crashed": "import os\ndef f(x):\n    os._exit({k})\n",
    "output": "def f(x):\n    return ['x' * 100_000, {n}]\n",
    "memory": "def f(x):\n    return len(bytearray(1 << 40)) + {n}\n",
    "timeout": "def f(x):\n    while {n} + 1: pass\n",
}
WEIGHTS = (60, 12, 8, 8, 5, 5, 2)
"""How often each comes; each is named for the status it must get."""
HOSTILE = (
    "import os\ndef f(x):\n    while True:\n        os.fork()\n",
    "import os\ndef f(x):\n    pid = os.fork()\n    os.setsid()\n    return [pid, os.getpid(), os.listdir('/')]\n",
    "import os\ndef f(x):\n    for fd in range(64):\n        try:\n            os.write(fd, b'=1\\n' * 999)\n"
    "        except OSError:\n            os.close(fd)\n    return 1\n",
    "import os\ndef f(x):\n    os.kill(os.getppid(), 9)\n    os.killpg(0, 15)\n    return os.kill(-1, 9)\n",
    "def f(x):\n    with open('/tmp/autotelic-fuzz', 'w') as file:\n        file.write(str(x))\n    return 1\n",
    "import os\ndef f(x):\n    os.mkdir('fuzz')\n    return [os.open(p, 66) for p in ('/tmp/s', '/dev/shm/s')]\n",
    "import sys\ndef f(x):\n    sys.setrecursionlimit(1 << 30)\n    return f(x) + f(x)\n",
    "import sys\ndef f(x):\n    sys.stdout.write('x' * 99999)\n    print(x, flush=True)\n    sys.exit(x)\n",
    "def f(x):\n    try:\n        while 1:\n            x = [x, x]\n    except BaseException:\n        return f(x)\n",
    "def f(x):\n    rows = []\n    while True:\n        rows.append(bytearray(1 << 20))\n    return len(rows)\n",
    "class E(int):\n    def __eq__(self, other): return True\n    __hash__ = None\ndef f(x):\n    return E(x)\n",
    "class E(Exception):\n    def __str__(self): return 'x' * 10**8\ndef f(x):\n    raise E(E(), x)\n",
    "import gc\ndef f(x):\n    found = [o for o in gc.get_objects() if isinstance(o, dict)]\n"
    "    for o in found:\n        o.clear()\n    return len(found)\n",
    "import sys, builtins\nbuiltins.len = lambda value: 7\nsys.modules.clear()\ndef f(x):\n    return len(x)\n",
    "import re\ndef f(x):\n    return bool(re.match('(a|a)*b', 'a' * 40))\n",
    "def f(x):\n    for _ in range(300):\n        x = {'x': x}\n    x['x'] = x\n    return x\n",
    "def f(x):\n    return [10 ** 10 ** 5, -0.0, 1e999, '\\ud800', (1,), {1: 2}, b'x', f][x % 8]\n",
    "f = type('F', (), {'__call__': lambda self, x: (yield x)})()\n",
    "import threading, time\ndef f(x):\n    threading.Thread(target=time.sleep, args=(9,)).start()\n    return 1\n",
    "def f(x):\n    return eval('(' * 90 + ')' * 90) or exec('x = ' + '-' * 999 + '1')\n",
    "def f(x):\n    code = f.__code__\n    f.__code__ = code.replace(co_code=code.co_code[::-1])\n    return f(x)\n",
)
"""Acts that the sandbox must stop or survive, as they are or mutated."""
LINES = (
    "x = [v + {n} for v in x]",
    "x = [v * {k} % {n} for v in x if v % 3 != {k}]",
    "x = sorted(x)[::-1]",
    "x = x[{k}:] + [{n}]",
    "x = [sum(x), len(x), max(x, default={n})]",
    "x = [a - b for a, b in zip(x, x[1:])] or [{n}]",
    "x = [int(d) for d in str(abs(x[{k} % len(x)]))] if x else [{k}]",
    "x = [ord(c) for c in ''.join(map(str, x))[:{n} % 20]]",
)
"""What an honest program is composed of: each line makes a list of integers of one."""
PIECES = re.compile(r"\w+|\s+|[^\w\s]")
INSERTS = (
    *("(", ")", "[", "]", ":", "\n", "\n    ", "=", "**", "-", "'", '"', "\\", "#", "\0", "\ud800", "é", "@"),
    *(
        "0",
        "1 << 40",
        "None",
        "yield",
        "lambda:",
        "while True:",
        "import os",
        "__class__",
        "*",
        "f(x)",
        "del x",
    ),
)
EDITS = (1, 1, 1, 2, 2, 3, 8)
"""How many edits make a mutant: mostly few, so that many still are programs."""


def draw(rng: random.Random) -> tuple[str, Job]:
    """The status that a program must get, or `ANY`, and the program."""
    kind = rng.choices(("template", "honest", "mutant"), (20, 35, 45))[0]
    if kind == "template":
        status = rng.choices(list(TEMPLATES), WEIGHTS)[0]
        source = TEMPLATES[status].format(n=rng.randrange(10**9), k=rng.randrange(3))
        return status, Job(source=source, entry="f", inputs=([1],))
    source, value = honest(rng)
    if kind == "mutant":
        source = mutant(rng, rng.choice(HOSTILE) if rng.random() < 0.5 else source)
        if rng.random() < 0.1:
            value = [value, {"x": value, "y": [None, True, -1.5, "\u00e9"]}]
    return ANY, Job(source=source, entry="f", inputs=([value],) * rng.randint(1, 3))


def mutant(rng: random.Random, source: str) -> str:
    """The source after a few edits of its tokens or of its bytes; seldom a program still, often nearly one."""
    if rng.random() < 0.3:
        data = bytearray(source.encode())
        for _ in range(rng.choice(EDITS)):
            place = rng.randrange(len(data) + 1)
            data[place : place + rng.randrange(3)] = rng.randbytes(rng.randrange(3))
        return data.decode("utf-8", rng.choice(("replace", "ignore", "surrogateescape")))
    tokens = PIECES.findall(source)
    for _ in range(rng.choice(EDITS)):
        place, other = rng.randrange(len(tokens) + 1), rng.randrange(len(tokens) + 1)
        span = tokens[other : other + rng.randint(1, 6)]
        edit = rng.randrange(4)
        if edit == 0:  # delete
            del tokens[place : place + rng.randint(1, 3)]
        elif edit == 1:  # copy from elsewhere
            tokens[place:place] = span
        elif edit == 2:  # replace by what stands elsewhere
            tokens[place : place + len(span)] = span
        else:
            tokens.insert(place, rng.choice(INSERTS))
    return "".join(tokens)


def honest(rng: random.Random) -> tuple[str, Json]:
    """A program that does nothing but reckon, and an input for it."""
    lines = [
        line.format(n=rng.randint(1, 99), k=rng.randrange(3))
        for line in rng.choices(LINES, k=rng.randint(1, 8))
    ]
    source = "def f(x):\n" + "".join(f"    {line}\n" for line in lines) + "    return x"
    return source, [rng.randrange(100) for _ in range(rng.randint(1, 9))]
