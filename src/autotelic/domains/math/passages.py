r"""Which part of a text is the answer: the last box, the last line, and in a sentence its last mathematics.

A text has one answer. `The roots are 2 and 3.` is read as `2 and 3`; `It is not 7` has none, because a word that
denies or changes the number stands beside it.
"""

from __future__ import annotations

import re

from autotelic.domains.fences import own_turn
from autotelic.domains.math.language import ProblemError
from autotelic.domains.math.markup import STOP, Macro, Token, Tokens, is_number, is_word

TAIL = 4_000
"""Only so many characters of the end of a completion are searched for its answer."""
_LINE = 320
"""Of a longer last line, which is a paragraph, the end is searched."""
_MAX_BOXES = 16
"""Of more boxes than that, the last ones are looked at: no problem has so many values."""
_BOX = re.compile(r"\\(?:boxed|fbox|framebox)\s*(?=\{)")
_BETWEEN = re.compile(r"(?:\s|[,;.$&]|\\[,;:! ()\[\]]|\\q?quad|\\text\s*\{\s*(?:and|or)\s*\}|~|and|or)*")
_NAMED = re.compile(r"(?<![A-Za-z0-9])([xy])\s*=[\s$]*\Z")
"""The unknown that a box is the value of."""
_DELIMITER = re.compile(r"\s*(?:\\\]|\$\$|\\end\s*\{[a-z]+\*?\}|`{3,}\w*|\*\*)\s*[.,]?\s*")
_OPENING = re.compile(r"\s*(?:\\\[|\$\$|\\begin\s*\{[a-z]+\*?\}(?:\{[a-z|]*\})?)\s*")
_MATHEMATICS = re.compile(r"[0-9¼-¾⅐-⅞]|(?<![A-Za-z\\])[xy](?![A-Za-z])")
_FINAL = re.compile(r"final answer\b", re.IGNORECASE)
_POINT = re.compile(r"(?:[-*•]|[0-9]{1,2}[.)])\s+(?=[$\\(*\s]*[xy](?![a-zA-Z]))")
_CONCLUDING = re.compile(r"\b(?:(?:Therefore|Thus|Hence|So),?|[Ff]inal [Aa]nswer:) ")
_GOES_ON = re.compile(r"(?:,|;|\bor|\band)[\s$]*$")
_IN_BOTH = re.compile(r"(?=[^=]*x)(?=[^=]*=)(?=.*y)[-+0-9xy=*/.() $\\\[\],;&]+")
"""An equation in x and y, and nothing besides."""
_LABELLED = re.compile(r"[\s$\\(\[*&-]*([xy](?:_?\{?[0-9]\}?)?)[\s*&]*[=:]")


def _words(spelled: str) -> frozenset[str]:
    return frozenset(spelled.split())


_KEYS = _words("answer result value solution solutions root roots derivative remainder total")
_VERBS = _words("is are be becomes was therefore :")
_DENYING = _words(
    """not no never neither nor isn't aren't wasn't doesn't don't cannot can't won't wrong false incorrect except
    rejected reject extraneous discarded discard invalid impossible ignored ignore inadmissible"""
)
_CHANGING = _DENYING | _words(
    """without half halves third thirds quarter quarters fourth fourths fifth fifths sixth sixths seventh
    sevenths eighth eighths ninth ninths tenth tenths twice thrice double triple hundred hundreds thousand
    thousands million millions billion billions dozen dozens squared cubed factorial power less least fewer
    greater most between below above approximately about roughly nearly almost maybe perhaps possibly th st nd
    rd"""
)
"""Words that deny a number, make another of it, or leave it open."""
_ASSERTING = _words(
    """is are was be becomes so thus hence therefore then get gets gives give have has obtain obtains make makes yield
    yields answer result value but which giving leaves remains find finds it's that's means : \\to"""
)
"""One of these must stand between a number and the answer after it: `4 take away 2` does not say 2."""


_REASONS = frozenset([" because", " since", " check", " checking", " using", " verify"])
"""What comes after one of these, behind a number, is why it is right."""
_NUMBERED = _words("step question problem case example exercise item figure")
"""A number after one of these only counts."""


def find_answer(completion: str) -> str:
    r"""The part of a completion that is judged: the last `\boxed{...}`, or else its last line.

    Boxes with nothing but `and`, `or` and commas between them are one answer. A last line without mathematics is
    passed over, and displayed mathematics on lines of its own counts as one line.

    >>> find_answer("(3+4)*6\n7*6\n42")
    '42'
    >>> find_answer("The roots are \\boxed{2} and \\boxed{3}.")
    '2 and 3'
    """
    tail = own_turn(completion)[-TAIL:]
    return _boxed(tail) or _last_line(tail)


def last_line(completion: str) -> str:
    """The last box or else the last line as it is, for models that were taught to end with the answer alone."""
    tail = completion[-TAIL:]
    return _boxed(tail) or tail.rstrip().rpartition("\n")[2].strip()


def _boxed(tail: str) -> str:
    """What the last box holds, with the boxes that belong to it; empty where there is none, or where a final
    answer is announced after it.
    """
    boxes: list[tuple[int, int, str]] = []
    for match in list(_BOX.finditer(tail))[-_MAX_BOXES:]:
        end = _closing(tail, match.end())
        if end and (inside := tail[match.end() + 1 : end - 1].strip()):
            name = _NAMED.search(tail[: match.start()])
            boxes.append(
                (match.start(), end, f"{name[1]}={inside}" if name and "=" not in inside else inside)
            )
    if not boxes:
        return ""
    start, _, found = boxes[-1]
    parts = [found]
    for first, end, inside in reversed(boxes[:-1]):
        between = _NAMED.sub("", tail[end:start]) if end <= start else "inside"
        if not _BETWEEN.fullmatch(between) or "\n" in between.strip():
            break
        start = first
        parts.insert(0, inside)
    after = tail[boxes[-1][1] :]
    if (said := _FINAL.search(after)) and _MATHEMATICS.search(_without_commands(after[said.end() :])):
        return ""
    return found if len(set(parts)) == 1 else " and ".join(parts)


def _closing(text: str, start: int) -> int:
    """Where the group that opens at `start` has ended; 0 where it never does."""
    depth = 0
    at = start
    while at < len(text):
        if text[at] == "\\":
            at += 2
            continue
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        at += 1
        if not depth:
            return at
    return 0


def _last_line(tail: str) -> str:
    lines = tail.rstrip().split("\n")
    while len(lines) > 1 and not _MATHEMATICS.search(_without_commands(lines[-1])):
        if lines[-1].strip() in ("$", "\\)"):
            break  # mathematics within a line does not end on a line of its own
        if _DELIMITER.fullmatch(lines[-1]) and (block := _display(lines)):
            return block
        lines.pop()
    line = lines[-1].strip()
    above = lines[:-1]
    while above and above[-1].strip() in ("", "or", "and"):
        joined = above.pop().strip()
        line = f"{joined} {line}" if joined and above else line
    if above:
        line = _both(above[-1].strip(), line)
    return _concluded(line[-_LINE:].partition(" ")[2]) if len(line) > _LINE else line


def _concluded(line: str) -> str:
    """The end of a long line that says all it has to say in one: from its last `Therefore` or `Final answer:` that a
    number comes after.
    """
    ends = [line[found.end() :] for found in _CONCLUDING.finditer(line)]
    return next((end for end in reversed(ends) if re.search(r"[0-9]", end)), line)


def _both(before: str, line: str) -> str:
    """The last line with the one before it, where the two are one answer: roots, unknowns or equations, one a line.

    Of two lines with one label the first is working, unless it goes on or both are points of a list.
    """
    point, own = _POINT.match(before), _POINT.match(line)
    if own:
        line = line[own.end() :]
    if point and own:
        before = before[point.end() :]
    goes_on = re.match(r"(?:or|and)\s+", line)
    if goes_on:
        before, line = f"{before} {goes_on[0].strip()}", line[goes_on.end() :]
    one, other = _LABELLED.match(before), _LABELLED.match(line)
    if one and other and (one[1] != other[1] or (point and own) or _GOES_ON.search(before)):
        return f"{before}\n{line}"
    if _IN_BOTH.fullmatch(before) and _IN_BOTH.fullmatch(line):
        return f"{before}\n{line}"
    return line


def _without_commands(line: str) -> str:
    return re.sub(r"\\[A-Za-z]+", "", line)


def _display(lines: list[str]) -> str:
    """The displayed mathematics that the lines end with; empty where none opens."""
    for at in range(len(lines) - 2, max(-1, len(lines) - 12), -1):
        opening = _OPENING.match(lines[at])
        if opening:
            inside = [lines[at][opening.end() :], *lines[at + 1 : -1]]
            kept = [
                line for line in inside if not _DELIMITER.fullmatch(line) and not _OPENING.fullmatch(line)
            ]
            return "\n".join(kept).strip()
        if not lines[at].strip():
            return ""
    return ""


def answer_in(given: Tokens) -> Tokens:
    """The tokens of the answer within those of a text. Raises `ProblemError("format")` where there is none."""
    given = _without_reason(_without_remarks(given))
    if not any(map(is_word, given)):
        return _trimmed(given)
    runs, last_gap = _runs(given)
    if not runs:
        raise ProblemError("format", "no mathematics")
    chosen = len(runs) - 1
    with_numbers = [at for at, (_, run) in enumerate(runs) if _holds_number(run)]
    if with_numbers:
        chosen = with_numbers[-1]
        introduced = [at for at in with_numbers if _introduces(*runs[at])]
        chosen = introduced[-1] if introduced else chosen
    gap, run = runs[chosen]
    after = runs[chosen + 1][0] if chosen + 1 < len(runs) else last_gap
    if gap and gap[-1] in _NUMBERED:
        raise ProblemError("format", f"the number of a {gap[-1]}")
    told = gap if not chosen or STOP in gap else _ASSERTING & set(gap)
    if gap and not told:
        raise ProblemError("format", f"{' '.join(gap)!r} between two numbers is no statement")
    if _CHANGING & {*_clause(gap, last=True), *_clause(after, last=False)}:
        raise ProblemError("format", "words beside the number change it")
    return _closed(_trimmed(run))


def _without_reason(given: Tokens) -> Tokens:
    """Tokens without what is said after an answer to show that it is right: `7, because 7*12 = 84`."""
    for at, token in enumerate(given):
        reason = token in _REASONS or (token == " by" and given[at + 1 : at + 2] == (" the",))
        if reason and _holds_number(given[:at]):
            return given if _KEYS & {str(word).strip() for word in given[at:]} else given[:at]
    return given


def _without_remarks(given: Tokens) -> Tokens:
    """Tokens without brackets that hold prose, as in `x = 2 (double root)`.

    Raises `ProblemError("format")` for a remark that takes the number back, as in `2 (rejected), 3`.
    """
    kept: list[Token] = []
    opened: list[tuple[int, bool]] = []
    for token in given:
        kept.append(token)
        if token == "(":
            opened.append((len(kept) - 1, False))
        elif token == ")" and opened:
            start, prose = opened.pop()
            if prose and start:
                if _DENYING & {str(word).strip() for word in kept[start:]}:
                    raise ProblemError("format", "a remark takes it back")
                del kept[start:]
        elif opened and is_word(token) and token != STOP:
            opened[-1] = (opened[-1][0], True)
    return tuple(kept)


def _runs(given: Tokens) -> tuple[list[tuple[list[str], Tokens]], list[str]]:
    """The runs of mathematics, each with the words before it, and the words after the last."""
    runs: list[tuple[list[str], Tokens]] = []
    gap: list[str] = []
    run: list[Token] = []
    for at, token in enumerate(given):
        article = token in ("a", "A", "I") and (
            at + 1 == len(given) or given[at + 1] not in ("=", "'", "(", "\\in")
        )
        if is_word(token) or article:
            if run and _says_something(run):
                runs.append((gap, tuple(run)))
                gap = []
            elif run and run[0] in (",", ";"):
                gap.append(STOP)
            run = []
            gap.append(str(token).strip() if token != STOP else STOP)
        elif not run and isinstance(token, Macro) and token.name in "^_" and gap:
            continue  # the square of a unit
        else:
            run.append(token)
    if run and _says_something(run):
        return [*runs, (gap, tuple(run))], []
    return runs, gap


def _says_something(run: list[Token]) -> bool:
    return any(isinstance(token, Macro) or is_number(token) or token in ("x", "y", "?") for token in run)


def _holds_number(tokens: Tokens) -> bool:
    return any(is_number(t) if isinstance(t, str) else any(map(_holds_number, t.args)) for t in tokens)


def _introduces(gap: list[str], run: Tokens) -> bool:
    words = _clause(gap, last=True)
    return bool(_KEYS & set(words)) and (words[-1] in _VERBS or run[0] == "=")


def _clause(words: list[str], last: bool) -> list[str]:
    """The words of the last clause, or of the first."""
    at = [here for here, word in enumerate(words) if word == STOP]
    if not at:
        return words
    return words[at[-1] + 1 :] if last else words[: at[0]]


_ENDS = (",", ";", "and", "or", "\n")


def _trimmed(run: Tokens) -> Tokens:
    """A run without separators at its ends, and without a brace that never closes."""
    while run and run[0] in _ENDS:
        run = run[1:]
    while run and run[-1] in _ENDS:
        run = run[:-1]
    if len(run) > 2 and run[0] == run[-1] == "*":
        run = run[1:-1]  # Markdown's emphasis
    if run[:1] == ("{",) and "}" not in run:
        run = run[1:]
    return run


def _closed(run: Tokens) -> Tokens:
    """A run without brackets at its ends whose other half stands in the prose."""
    if run[:1] == ("(",) and run.count("(") > run.count(")"):
        run = run[1:]
    while run[-1:] == ("(",):
        run = run[:-1]
    if run[-1:] == (")",) and run.count(")") > run.count("("):
        run = run[:-1]
    return run
