"""Programs: what parses, what the whitelist lets in, and that only checked text is ever run."""

from __future__ import annotations

import ast
from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from autotelic.domains.programs.execution import Ask
from autotelic.domains.programs.inputs import SIZES
from autotelic.domains.programs.source import ProgramError
from autotelic.domains.python.execution import bundled
from autotelic.domains.python.grammar import draw_program, vary
from autotelic.domains.python.operations import KINDS, MARKS, OPERATIONS, operations
from autotelic.domains.python.program import (
    MAX_OPERATIONS,
    Program,
    compose,
    parse_program,
)


def refusal(body: str) -> str:
    with pytest.raises(ProgramError) as caught:
        parse_program(f"def f(x):\n    {body}")
    return caught.value.reason


def test_the_table_has_what_the_levels_promise():
    assert len(operations(1)) == len(operations(3)) == 29
    assert not any("str" in (o.takes, o.gives) for o in operations(3))
    assert operations(4) == OPERATIONS
    assert all(o.takes in KINDS and o.gives in KINDS and o.marks <= set(MARKS) for o in OPERATIONS)
    assert len({o.name for o in OPERATIONS}) == len(OPERATIONS)
    assert all(("{c}" in o.template) == bool(o.constants) for o in OPERATIONS)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda o: o.name)
def test_every_operation_is_allowed_and_already_in_canonical_form(operation):
    for expression in operation.expressions:
        assert str(compose([expression])) == f"def f(x):\n    x = {expression}\n    return x"


@given(st.integers(0, 2**32), st.sampled_from(sorted(SIZES)))
@settings(max_examples=60)
def test_drawn_programs_are_of_their_level_and_read_back(seed, level):
    _, program = draw_program(Random(seed), level)
    assert program.level == level
    assert parse_program(str(program)) == program
    again = draw_program(Random(seed), level)[1]
    assert again == program


def test_comments_and_spacing_do_not_matter():
    plain = parse_program("def f(x):\n    x = [v + 3 for v in x]\n    x = sum(x)\n    return x")
    loose = parse_program(
        "def f(x):  # a\n x=[v+3 for v in x]  # [6,4,7]\n  # b\n x =  sum( x )\n#\n return x # 17\n"
    )
    assert loose == plain


def test_a_returned_expression_is_the_last_operation():
    plain = parse_program("def f(x):\n    x = x[::-1]\n    x = sum(x)\n    return x")
    assert parse_program("def f(x):\n    x = x[::-1]\n    return sum(x)") == plain
    assert plain.level == 2
    assert str(parse_program("def f(x):\n    return x")) == "def f(x):\n    x = x\n    return x"


def test_the_longest_program_may_end_on_either_return():
    lines = "".join(f"    x = x + {n}\n" for n in range(MAX_OPERATIONS))
    assert parse_program(f"def f(x):\n{lines}    return x").level == MAX_OPERATIONS
    with pytest.raises(ProgramError, match="13 operations"):
        parse_program(f"def f(x):\n{lines}    return x[0]")


def test_a_hash_inside_a_string_is_no_comment():
    program = parse_program("def f(x):\n    x = x.count('  # ')\n    return x")
    assert str(program) == "def f(x):\n    x = x.count('  # ')\n    return x"


@given(st.integers(0, 2**32), st.sampled_from(sorted(SIZES)))
@settings(max_examples=30)
def test_annotated_text_is_python_and_still_the_program(seed, level):
    _, program = draw_program(Random(seed), level)
    text = program.annotated(tuple(f"[{n}]" for n in range(level)))
    assert text.splitlines()[1:3] == [f"    x = {program.expressions[0]}", "# [0]"]
    assert parse_program(text) == program
    assert ast.dump(ast.parse(text)) == ast.dump(ast.parse(str(program)))


@pytest.mark.parametrize(
    "body",
    [
        "return x if len(x) > 2 else x[::-1]",
        "return sorted(x, reverse=True)",
        "return [v for v in x if v > 2 and not v == 5]",
        "return sum(max(v, 2) for v in sorted(set(x))[1:])",
        "return not x",
        "return sum((v for v in x), 1)",
        "return ''.join(sorted(str(v) for v in x))",
        "return [[v, v + 1] for v in x]",
    ],
)
def test_reasonable_neighbours_of_the_grammar_are_allowed(body):
    assert parse_program(f"def f(x):\n    {body}").level == 1


@pytest.mark.parametrize(
    "body",
    [
        "return x.__class__",
        "return __import__('os')",
        "return open(x)",
        "return eval(x)",
        "return getattr(x, 'a')",
        "return x.append(1)",
        "return x.format(1)",
        "return x.count",
        "return list(x.count)",
        "return (v for v in x)",
        "return zip((v for v in x), x)",
        "return [(v for v in x)]",
        "return lambda: x",
        "return (y := x)",
        "return f'{x}'",
        "return {v: 1 for v in x}",
        "return (1, 2)",
        "return 1000",
        "return 2 ** 9",
        "return 1 << 9",
        "return x / 2",
        "return 1.0",
        "return b'a'",
        "return ...",
        "return 'aaaaaaaaaaaaaaaaa'",
        "return '<|task|>'",
        "return 'a\\n'",
        "return [*x]",
        "return sum(x, start=1)",
        "return max(x, key=len)",
        "return max(x, **x)",
        "return (len)(x)(x)",
        "return [v async for v in x]",
        "return [x for PROGRAMS in x]",
        "return PROGRAMS",
        "return skip",
        "return ſum(x)",
        "return [" + ", ".join(["v"] * 50) + "]",
        "return -" + "-" * 100 + "1",
        "y = 1",
        "import os",
        "x += 1",
        "x = y = 1",
        "x[0] = 1",
        "del x",
        "global x",
        "pass",
        "return",
        "def g(): return 1",
    ],
)
def test_everything_else_is_refused(body):
    assert refusal(body) in ("whitelist", "syntax")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("return 0) or (1", "syntax"),
        ("return (x", "syntax"),
        ("return x; import os", "syntax"),
        ("return '''a", "syntax"),
        ("return x\n    return x", "syntax"),
        ("x = x[1:]", "syntax"),
        ("return x\n  \x00", "whitelist"),
        ("return " + "(" * 150 + "x" + ")" * 150, "syntax"),
        ("return " + "[" * 70 + "]" * 70, "whitelist"),
        ("x = x\n    " * 13 + "return x", "syntax"),
        ("return x  # " + "a" * 5000, "syntax"),
    ],
)
def test_refusals_say_which_rule(body, reason):
    assert refusal(body) == reason


@given(st.text(max_size=80))
@settings(max_examples=300)
@example("\ud800")
@example("x = " + "not " * 100)
@example("return \x0c1")
@example("return 1\r    import os")
def test_any_line_is_a_program_or_a_refusal(body):
    try:
        found: Program | str = parse_program(f"def f(x):\n    {body}")
    except ProgramError as error:
        found = error.reason
    assert isinstance(found, Program) or found in ("syntax", "whitelist")


@given(st.integers(0, 2**32), st.sampled_from(sorted(SIZES)))
@settings(max_examples=40)
def test_what_is_run_is_the_checked_lines_in_order(seed, level):
    programs = [draw_program(Random(seed + n), level)[1] for n in range(5)]
    job = bundled([Ask(program=program, inputs=(1,)) for program in programs])
    *_, table = ast.parse(job.source).body
    assert isinstance(table, ast.Assign)
    assert isinstance(table.value, ast.List)
    found = [ast.unparse(node.body) for node in table.value.elts if isinstance(node, ast.Lambda)]
    assert len(found) == len(table.value.elts) == len(set(found))
    assert [[found[n] for n in case[0]] for case in job.inputs] == [list(p.expressions) for p in programs]


def test_a_variant_differs_in_one_line_at_most():
    program = parse_program("def f(x):\n    x = [v + 3 for v in x]\n    x = sum(x)\n    return x * 2")
    variants = [vary(Random(seed), program, ["ints", "ints", "int", "int"]) for seed in range(20)]
    changes = [sum(a != b for a, b in zip(v.expressions, program.expressions, strict=True)) for v in variants]
    assert max(changes) == 1
    assert len(set(map(str, variants))) > 10


def test_programs_and_variants_use_the_operations_of_their_level():
    plain = {e for o in operations(3) for e in o.expressions}
    for seed in range(100):
        program = draw_program(Random(seed), 3)[1]
        assert plain.issuperset(program.expressions)
        assert plain.issuperset(vary(Random(seed), program, ["ints"] * 4).expressions)
    assert not plain.issuperset(
        e for seed in range(100) for e in draw_program(Random(seed), 4)[1].expressions
    )


def test_a_variant_of_a_line_without_known_kinds_leaves_it():
    program = parse_program("def f(x):\n    return x > 2")
    assert vary(Random(0), program, ["int", ""]) == program
