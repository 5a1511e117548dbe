"""Programs, tests and values as language models write them: whatever Python accepts, whatever stands around."""

from __future__ import annotations

import pytest

from autotelic.domains.answers import value_line
from autotelic.domains.fences import last_block, program_block, source_text, without_fences
from autotelic.domains.functions.answers import parse_written
from autotelic.domains.functions.source import parse_function
from autotelic.domains.programs.source import ProgramError
from autotelic.domains.python.program import parse_program

PLAIN = "def f(x):\n    x = sorted(x)\n    return x"
ARROW = "\u2192"

AROUND = {
    "alone": "{p}",
    "a fence": "```python\n{p}\n```",
    "a fence with a title": '```python title="f.py"\n{p}\n```',
    "a fence of another language": "```py3\n{p}\n```",
    "a fence of four": "````python\n{p}\n````",
    "tildes": "~~~\n{p}\n~~~",
    "tildes with a language": "~~~python\n{p}\n~~~",
    "a fence that was cut off": "```python\n{p}",
    "a fence that closes at the end of a line": "```python\n{p}```",
    "a fence that opens behind a sentence": "Here it is: ```python\n{p}\n```",
    "a fence with blanks": "   ```python  \n{p}\n  ```  ",
    "the program on the line of its fence": "```{p}\n```",
    "a sentence before and after": "Sure! Here it is.\n\n```python\n{p}\n```\nIt sorts x.",
    "a sentence before, no fence": "Sure! Here it is:\n\n{p}",
    "a sentence after, no fence": "{p}\n\nThis sorts the list.",
    "thinking": "<think>\ndef f(x):\n    return 1\n</think>\n\n{p}",
    "thinking without its beginning": "I try `return 1`.\n</think>\n```\n{p}\n```",
    "a block of usage": "```python\n{p}\n```\nUsage:\n```python\nprint(f([1,2]))\n```",
    "a block of output": "```python\n{p}\n```\n```\n[1, 2]\n```",
    "usage in the same block": "```python\n{p}\n\nprint(f([3, 1]))\nresult = f([2])\n```",
    "a main guard": "```python\n{p}\n\nif __name__ == '__main__':\n    print(f([1]))\n```",
    "imports": "```python\nfrom typing import List\nimport math\n\n{p}\n```",
    "a first try": "```python\ndef f(x):\n    return 2\n```\nNo, better:\n```python\n{p}\n```",
    "a byte order mark": "\ufeff{p}",
    "a console": ">>> {p}",
    "a console in a fence": "```pycon\n>>> {p}\n>>> f([2, 1])\n[1, 2]\n```",
    "a quotation": "> {p}",
    "the mark of a turn's end": "{p}<|im_end|>",
    "another mark of an end": "```python\n{p}\n```</s>",
    "a turn of somebody else": "{p}<|eot_id|>\n<|im_start|>user\ndef f(x):\n    return 2",
    "an analysis before it": "<|channel|>analysis<|message|>def f(x): return 1<|end|><|channel|>final<|message|>{p}",
    "reasoning": "<reasoning>\ndef f(x):\n    return 1\n</reasoning>\n{p}",
    "a tag on its line": "<answer>{p}</answer>",
    "tags of HTML": '<pre><code class="language-python">{p}\n</code></pre>',
    "an answer on its line": "Answer: {p}",
    "what cannot be seen": "\u200b{p}",
    "a tag": "<answer>\n{p}\n</answer>",
    "a mark and a fence": "\ufeff```python\n{p}\n```",
}
SPELLED = {
    "carriage returns": PLAIN.replace("\n", "\r\n"),
    "carriage returns alone": PLAIN.replace("\n", "\r"),
    "tabs": PLAIN.replace("    ", "\t"),
    "two blanks": PLAIN.replace("    ", "  "),
    "blank lines": PLAIN.replace("\n", "\n\n"),
    "blanks at the ends of lines": PLAIN.replace("\n", "  \n"),
    "a docstring": PLAIN.replace(":\n", ':\n    """Sort x, é."""\n', 1),
    "a long docstring": PLAIN.replace(":\n", ':\n    """Sort x.\n\n    At once.\n    """\n', 1),
    "comments": f"def f(x): # it sorts\n    # first {ARROW} last\n    x = sorted(x) # {ARROW} sorted\n    return x",
    "one line": "def f(x): return sorted(x)",
    "semicolons": "def f(x):\n    x = sorted(x); return x",
    "brackets over lines": "def f(x):\n    x = sorted(\n        x,\n    )\n    return x",
    "blanks in the head": "def  f ( x ) :\n    x = sorted(x)\n    return x",
    "annotations": "def f(x: list[int]) -> list[int]:\n    x: list[int] = sorted(x)\n    return x",
    "a form feed": PLAIN + "\n\x0c",
}


@pytest.mark.parametrize("name", AROUND)
def test_the_program_is_found_whatever_stands_around_it(name: str) -> None:
    before = {"console": "... ", "quotation": "> "}
    program = PLAIN.replace("\n", "\n" + next((before[kind] for kind in before if kind in name), ""))
    assert program_block(AROUND[name].format(p=program)) == PLAIN


@pytest.mark.parametrize(
    "around", ["alone", "a fence", "tildes", "a block of usage", "a sentence after, no fence"]
)
@pytest.mark.parametrize("name", SPELLED)
def test_a_program_may_be_spelled_as_python_allows(name: str, around: str) -> None:
    block = program_block(AROUND[around].format(p=SPELLED[name]))
    assert parse_program(block) == parse_program(PLAIN)


@pytest.mark.parametrize("name", SPELLED)
def test_a_function_may_be_spelled_as_python_allows(name: str) -> None:
    found = str(parse_function(program_block(SPELLED[name])))
    assert found in (PLAIN, "def f(x):\n    return sorted(x)")


@pytest.mark.parametrize("name", SPELLED)
def test_a_program_is_read_without_a_fence_too(name: str) -> None:
    assert parse_program(SPELLED[name]) == parse_program(PLAIN)


@pytest.mark.parametrize(
    "text",
    [
        "def f(x):\n    x = \u017forted(x)\n    return x",  # Python would take the long s for an s
        "def f(x):\n    return 'caf\u00e9'",
        "def f(x, y=1):\n    return x",
        "@g\ndef f(x):\n    return x",
        "async def f(x):\n    return x",
        "def f(x):\n    return x\nf = 1",
        "def f(x):\n    'text'",
    ],
)
def test_what_is_another_program_is_still_refused(text: str) -> None:
    for parse in (parse_program, parse_function):
        with pytest.raises(ProgramError):
            parse(text)


SUM = "def f(x):\n    n = 0\n    for v in x:\n        n += v\n    return n"


@pytest.mark.parametrize(
    "test",
    [
        "assert f([7,7]) == 14",
        "assert f([7, 7])==14",
        "assert f([7,7]) == 14, 'sum'",
        'assert f([7,7]) == 14, f"got {f([7,7])}"',
        "assert f([7,7]) == 14 # ok",
        "assert f([7,7]) == 14  # ok",
        "assert 14 == f([7,7])",
        "assert (f([7,7]) == 14)",
        "assert(f([7,7]) == 14)",
        "assert f(([7,7])) == (14)",
        "assert f([7,7],) == 14",
        "assert f(\n    [7,7]\n) == 14",
        "assert f([7,7]) == 14\nprint('done')",
    ],
)
@pytest.mark.parametrize("between", ["\n", "\n\n", "\n```\nTests:\n```python\n", "\n# tests\n"])
def test_tests_may_be_written_as_python_allows(test: str, between: str) -> None:
    block = program_block(f"```python\n{SUM}{between}{test}\n```", tests=True)
    assert parse_written(block).tests == (([7, 7], 14),)


@pytest.mark.parametrize("quoted", ["'ab'", '"ab"'])
def test_texts_in_tests_have_the_quotes_of_python(quoted: str) -> None:
    assert parse_written(f"{SUM}\nassert f({quoted}) == {quoted}").tests == (("ab", "ab"),)
    assert parse_written(f"{SUM}\nassert f({quoted}) == True").tests == (("ab", True),)


@pytest.mark.parametrize(
    "test", ["assert f([1]) != 1", "assert f([1])", "assert f(x=[1]) == 1", "assert f([1], 2) == 1"]
)
def test_what_is_no_test_of_this_kind_is_refused(test: str) -> None:
    with pytest.raises(ProgramError, match="is no"):
        parse_written(f"{SUM}\n{test}")


@pytest.mark.parametrize(
    ("completion", "value"),
    [
        ("[6,4,7]", "[6,4,7]"),
        ("```[6,4,7]```", "[6,4,7]"),
        ("```json [6,4,7]```", "[6,4,7]"),
        ("```json\n[6,4,7]\n```", "[6,4,7]"),
        ("```\n[6,4,7]```", "[6,4,7]"),
        ("~~~\n[6,4,7]\n~~~", "[6,4,7]"),
        ("It is\r\n[6,4,7]\r\n", "[6,4,7]"),
        ("**[6,4,7]**", "[6,4,7]"),
        ("Answer: [6,4,7]", "[6,4,7]"),
        ("**Answer:** `[6,4,7]`", "[6,4,7]"),
        ("The final answer is [6,4,7].", "[6,4,7]"),
        ("x = [6,4,7]", "[6,4,7]"),
        ("f([1]) == [6,4,7]", "[6,4,7]"),
        ("```\n[6,4,7]\n```\nThat is what it returns.", "[6,4,7]"),
        ("<think>[1] or [2]?</think>[6,4,7]", "[6,4,7]"),
        ("[6,4,7]\n\nI hope this helps!", "[6,4,7]"),
        ("Output: [6,4,7]\nThe loop runs over [3, 2] twice, so x grows.", "[6,4,7]"),
        ("[\n  6,\n  4,\n  7\n]", "[6,4,7]"),
        ("```json\n[\n  [6,\n   4],\n  7]\n```\nDone.", "[[6,4],7]"),
        ("Answer: [6,\n4, 7]", "[6,4,7]"),
        ("\\boxed{[6,4,7]}", "[6,4,7]"),
        ("$\\boxed{5}$.", "5"),
        ("<answer>[6,4,7]</answer>", "[6,4,7]"),
        ("=> [6,4,7]", "[6,4,7]"),
        ("\u2192 [6,4,7]", "[6,4,7]"),
        ("- [6,4,7]", "[6,4,7]"),
        ("- 5", "-5"),
        ("### Answer: [6,4,7]", "[6,4,7]"),
        ("[6,4,7];", "[6,4,7]"),
        (">>> f([1])\n[6,4,7]", "[6,4,7]"),
        ("6]", "6]"),
        ("I think\n6]", "6]"),
        ("'CBAABC'", '"CBAABC"'),
        ("Answer: 'CBAABC'", '"CBAABC"'),
        ("True", "true"),
        ("-3", "-3"),
        ("[6,4,7]</s>", "[6,4,7]"),
        ("[6,4,7]<|im_end|>\n<|im_start|>user\n[1]", "[6,4,7]"),
        ("[ANSWER][6,4,7][/ANSWER]", "[6,4,7]"),
        ("<output>[6,4,7]</output>", "[6,4,7]"),
        ("<result>[6,4,7]</result>", "[6,4,7]"),
        ("The function returns [6,4,7].", "[6,4,7]"),
        ("So f([1]) is [6,4,7].", "[6,4,7]"),
        ("**Output**: `[6,4,7]`", "[6,4,7]"),
        ("Thus, the answer is: `[6,4,7]`", "[6,4,7]"),
        ("Expected output: [6,4,7]", "[6,4,7]"),
        ("\\boxed{\\text{[6,4,7]}}", "[6,4,7]"),
        ("\\(\\boxed{[6,4,7]}\\)", "[6,4,7]"),
        ("\\[ [6,4,7] \\]", "[6,4,7]"),
        ("[6,4,7]\u200b", "[6,4,7]"),
        ("[6,4,7]  // sorted", "[6,4,7]"),
        ("print(f([1]))  # [6,4,7]", "[6,4,7]"),
        ("assert f([1]) == [6,4,7]", "[6,4,7]"),
        ("Step 1: x = [7,4]\nStep 2: [6,4,7]", "[6,4,7]"),
        ("1. [6,4,7]", "[6,4,7]"),
        ("It does not return [6,4,7].", "It does not return [6,4,7]."),
        ("'</s>'", '"</s>"'),
        ("I do not know", "I do not know"),
        ("(1, 2)", "(1, 2)"),
        ("open('x')", "open('x')"),
        ("", ""),
    ],
)
def test_a_value_is_found_whatever_stands_around_it(completion: str, value: str) -> None:
    assert value_line("deduction", completion) == value


@pytest.mark.parametrize(
    "completion",
    [
        "print(f([3,1]))",
        "assert f([3,1]) == [1,3]",
        "f([3,1])",
        "`f([3,1])`",
        "f([3,1]) == [1,3]",
        "x = [3,1]",
        "Argument: [3,1]",
    ],
)
def test_an_argument_may_be_given_as_a_call(completion: str) -> None:
    assert value_line("abduction", completion) == "[3,1]"


def test_a_call_is_no_value() -> None:
    assert value_line("deduction", "f([3,1])") == "f([3,1])"


def test_line_ends_are_those_of_python() -> None:
    assert source_text("\ufeffa\r\nb\rc\nd") == "a\nb\nc\nd"
    assert without_fences("a\r\n\r\n```\r\nb\r\n```\r\n") == "a\nb"
    assert last_block("```\r\na\r\n```\r\nb") == "a"
