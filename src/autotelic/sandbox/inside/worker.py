"""A process a core that forks a fresh process a program (`python -s -S -P worker.py`)."""

import json
import os
import resource
import select
import struct
import sys
import time

MODULES = [
    "abc",
    "array",
    "bisect",
    "calendar",
    "cmath",
    "collections",
    "collections.abc",
    "contextlib",
    "copy",
    "dataclasses",
    "datetime",
    "decimal",
    "enum",
    "fractions",
    "functools",
    "heapq",
    "itertools",
    "json",
    "math",
    "numbers",
    "operator",
    "random",
    "re",
    "statistics",
    "string",
    "struct",
    "textwrap",
    "time",
    "types",
    "typing",
    "unicodedata",
]
DEPTH = 200


class NotJson(TypeError):
    pass


def encode(value, room, depth=0):
    """Pieces of canonical JSON, from the storage of base types; subclasses are not base types."""
    kind = type(value)
    if value is None:
        piece = "null"
    elif kind is bool:
        piece = "true" if value else "false"
    elif kind is int:
        piece = int.__repr__(value)
    elif kind is float:
        if value != value or value in (float("inf"), float("-inf")):
            raise NotJson("a float that is not finite is no JSON value")
        piece = float.__repr__(value)
    elif kind is str:
        piece = json.encoder.encode_basestring_ascii(value)
    elif kind is list or kind is dict:
        if depth >= DEPTH:
            raise NotJson("nested deeper than %d" % DEPTH)
        if kind is list:
            parts = [encode(item, room, depth + 1) for item in value]
            piece = "[" + ",".join(parts) + "]"
        else:
            for key in value:
                if type(key) is not str:
                    raise NotJson(f"a key of type {type(key).__name__} is no JSON key")
            parts = [
                json.encoder.encode_basestring_ascii(key) + ":" + encode(value[key], room, depth + 1)
                for key in sorted(value)
            ]
            piece = "{" + ",".join(parts) + "}"
        room[0] -= len(parts)
    else:
        raise NotJson(f"a {kind.__name__} is no JSON value")
    if kind is not list and kind is not dict:
        room[0] -= len(piece)
    if room[0] < 0:
        raise OverflowError("output limit")
    return piece


class Printed:
    """Standard output: keeps the first `room` characters."""

    encoding = "utf-8"

    def __init__(self, room):
        self.parts, self.room = [], room

    def write(self, text):
        if type(text) is not str:
            raise TypeError("write() argument must be str")
        if self.room > 0:
            self.parts.append(text[: self.room])
            self.room -= len(text)
        return len(text)

    def flush(self):
        pass

    def isatty(self):
        return False


def describe(error):
    try:
        text = str(error)
    except BaseException:
        text = ""
    return (type(error).__name__ + ": " + text)[:500]


def run(code, entry, inputs, room, printed):
    """Every case of one program: ([output or None], [error], reason)."""
    outputs, errors = [], []
    scope = {"__name__": "candidate", "__builtins__": __builtins__}
    try:
        exec(code, scope)
    except BaseException as error:
        text = describe(error)
        return [None] * len(inputs), [text] * len(inputs), text
    function = scope.get(entry)
    if not callable(function):
        text = f"refused: the program defines no function {entry!r}"
        return [None] * len(inputs), [text] * len(inputs), text
    left, reason = [room], ""
    for arguments in inputs:
        try:
            outputs.append(encode(function(*arguments), left))
            errors.append("")
        except BaseException as error:
            outputs.append(None)
            errors.append(describe(error))
            reason = reason or errors[-1]
    return outputs, errors, reason


def child(code, job, pipe):
    limits = job["limits"]
    pages = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
    room = pages + (limits["memory_mb"] << 20)
    resource.setrlimit(resource.RLIMIT_AS, (room, room))
    seconds = int(limits["cpu_s"]) + 1
    for kind, value in (
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_NOFILE, 64),
    ):
        resource.setrlimit(kind, (value, value))
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    os.dup2(pipe, 3)
    os.closerange(4, 256)
    room = limits["output_kb"] << 10
    printed = sys.stdout = sys.stderr = Printed(room)
    inputs = [json.loads(case) for case in job["inputs"]]
    sys.path[:] = []
    sys.meta_path[:] = []
    outputs, errors, reason = run(code, job["entry"], inputs, room, printed)
    body = json.dumps([outputs, errors, reason, "".join(printed.parts)]).encode()
    view = memoryview(body)
    while view:
        view = view[os.write(3, view) :]
    os._exit(0)


def serve(job):
    """The answer to one job."""
    answer = {"id": job["id"], "status": "ok", "reason": "", "cpu_s": 0.0, "wall_s": 0.0, "peak_kb": 0}
    try:
        code = compile(job["source"], "candidate", "exec", dont_inherit=True)
    except BaseException as error:
        answer.update(status="refused", reason=describe(error))
        return answer
    reader, writer = os.pipe()
    start = time.monotonic()
    pid = os.fork()
    if pid == 0:
        try:
            child(code, job, writer)
        finally:
            os._exit(70)
    os.close(writer)
    body, deadline = bytearray(), start + job["limits"]["wall_s"]
    most = 16 * (job["limits"]["output_kb"] << 10) + 1024 * len(job["inputs"]) + 65536
    while len(body) < most:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([reader], [], [], left)[0]:
            answer.update(status="timeout", reason="over {:g} s of wall time".format(job["limits"]["wall_s"]))
            break
        piece = os.read(reader, 1 << 16)
        if not piece:
            break
        body += piece
    os.close(reader)
    os.kill(pid, 9)
    _, wait, used = os.wait4(pid, 0)
    answer.update(
        cpu_s=used.ru_utime + used.ru_stime, wall_s=time.monotonic() - start, peak_kb=used.ru_maxrss
    )
    if answer["cpu_s"] > job["limits"]["cpu_s"]:
        answer.update(status="timeout", reason="over {:g} s of CPU time".format(job["limits"]["cpu_s"]))
    answer["body"] = body.decode("utf-8", "replace")
    answer["wait"] = wait
    return answer


def main():
    import importlib
    import warnings

    warnings.simplefilter("ignore")
    for name in MODULES:
        importlib.import_module(name)
    source, sink = os.fdopen(0, "rb", closefd=False), os.fdopen(os.dup(1), "wb")
    while head := source.read(4):
        (size,) = struct.unpack("<I", head)
        body = json.dumps(serve(json.loads(source.read(size)))).encode()
        sink.write(struct.pack("<I", len(body)) + body)
        sink.flush()


main()
