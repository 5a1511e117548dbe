"""Thirty-two problems in the manner of public benchmarks, written for these tests: a solution and its asserts."""

from __future__ import annotations

SAMPLE: dict[str, tuple[str, str]] = {
    "digits": (
        "def digits(n):\n    return tuple(int(d) for d in str(abs(n)))",
        "assert digits(305) == (3, 0, 5)\nassert digits(-12) == (1, 2)",
    ),
    "shared": (
        "def shared(a, b):\n    return set(a) & set(b)",
        "assert shared((1, 2, 3), [2, 3, 4]) == {2, 3}\nassert shared('ab', 'cd') == set()",
    ),
    "tally": (
        "from collections import Counter\ndef tally(words):\n    return Counter(w.lower() for w in words)",
        "assert tally(['a', 'A', 'b']) == {'a': 2, 'b': 1}\nassert tally('xyx').most_common(1) == [('x', 2)]",
    ),
    "by_length": (
        "from collections import defaultdict\ndef by_length(words):\n    found = defaultdict(list)\n"
        "    for word in words:\n        found[len(word)].append(word)\n    return found",
        "assert by_length(['a', 'bb', 'c']) == {1: ['a', 'c'], 2: ['bb']}\nassert by_length([])[5] == []",
    ),
    "squares": (
        "def squares(n):\n    for i in range(n):\n        yield i * i",
        "assert list(squares(4)) == [0, 1, 4, 9]\nassert sum(squares(10)) == 285\nassert next(squares(1)) == 0",
    ),
    "sort_in_place": (
        "def sort_in_place(items):\n    for i in range(len(items)):\n        for j in range(i):\n"
        "            if items[i] < items[j]:\n                items[i], items[j] = items[j], items[i]\n"
        "    return items",
        "a = [3, 1, 2]\nassert sort_in_place(a) is a\nassert a == [1, 2, 3]\nassert sort_in_place([5, 4]) == [4, 5]",
    ),
    "root": (
        "import math\ndef root(x):\n    if x < 0:\n        raise ValueError('negative')\n    return math.sqrt(x)",
        "assert root(9) == 3\ntry:\n    root(-1)\nexcept ValueError as error:\n    assert str(error) == 'negative'\n"
        "else:\n    raise AssertionError",
    ),
    "mean": (
        "def mean(values, default=float('nan')):\n    return sum(values) / len(values) if values else default",
        "import math\nassert mean([1, 2]) == 1.5\nassert math.isnan(mean([]))\nassert mean([], default=0) == 0",
    ),
    "swapped": (
        "def swapped(table):\n    return {value: key for key, value in table.items()}",
        "assert swapped({'a': 1, 'b': 2}) == {1: 'a', 2: 'b'}\nassert list(swapped({'z': 9, 'a': 1})) == [9, 1]",
    ),
    "caesar": (
        "def encode(text, k):\n    return ''.join(chr((ord(c) - 97 + k) % 26 + 97) for c in text)\n\n"
        "def caesar(text, k):\n    return encode(text, -k)",
        "assert caesar('bcd', 1) == 'abc'\nfor k in range(30):\n    assert caesar(encode('hello', k), k) == 'hello'",
    ),
    "polynomial": (
        "def value(c, x):\n    return sum(a * x ** i for i, a in enumerate(c))\n\n"
        "def polynomial(c):\n    low, high = -100.0, 100.0\n    for _ in range(200):\n"
        "        middle = (low + high) / 2\n        if value(c, low) * value(c, middle) <= 0:\n"
        "            high = middle\n        else:\n            low = middle\n    return low",
        "assert abs(value([-6, 2], polynomial([-6, 2]))) < 1e-6\nassert abs(polynomial([-6, 2]) - 3) < 1e-6",
    ),
    "primes": (
        "def primes(n):\n    return [p for p in range(2, n) if all(p % d for d in range(2, int(p ** 0.5) + 1))]",
        "assert primes(12) == [2, 3, 5, 7, 11]\nassert primes(2) == []",
    ),
    "transposed": (
        "def transposed(rows):\n    return [list(row) for row in zip(*rows)]",
        "assert transposed([[1, 2], [3, 4], [5, 6]]) == [[1, 3, 5], [2, 4, 6]]",
    ),
    "pairs": (
        "def pairs(a, b):\n    return zip(a, b)",
        "assert list(pairs([1, 2], 'ab')) == [(1, 'a'), (2, 'b')]\nassert dict(pairs('a', [7])) == {'a': 7}",
    ),
    "frozen": (
        "def frozen(groups):\n    return {frozenset(group) for group in groups}",
        "assert frozen([(1, 2), (2, 1), (3,)]) == {frozenset({1, 2}), frozenset({3})}",
    ),
    "chunked": (
        "def chunked(data, n):\n    return [data[i:i + n] for i in range(0, len(data), n)]",
        "assert chunked(b'abcde', 2) == [b'ab', b'cd', b'e']\nassert chunked('abc', 2) == ['ab', 'c']",
    ),
    "fibonacci": (
        "from functools import lru_cache\n@lru_cache(maxsize=None)\ndef fibonacci(n):\n"
        "    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)",
        "assert [fibonacci(n) for n in range(8)] == [0, 1, 1, 2, 3, 5, 8, 13]\n"
        "assert fibonacci(90) == 2880067194370816120",
    ),
    "compose": (
        "def compose(*functions):\n    def composed(x):\n        for function in reversed(functions):\n"
        "            x = function(x)\n        return x\n    return composed",
        "assert compose(str, lambda x: x + 1)(4) == '5'\nassert compose(len, sorted)([3, 1]) == 2",
    ),
    "Stack": (
        "class Stack:\n    def __init__(self):\n        self.items = []\n    def push(self, x):\n"
        "        self.items.append(x)\n    def pop(self):\n        if not self.items:\n"
        "            raise IndexError('empty')\n        return self.items.pop()\n"
        "    def __len__(self):\n        return len(self.items)",
        "s = Stack()\nfor i in range(5):\n    s.push(i)\nassert len(s) == 5\nassert s.pop() == 4\n"
        "try:\n    Stack().pop()\nexcept IndexError:\n    pass\nelse:\n    raise AssertionError",
    ),
    "midpoint": (
        "from dataclasses import dataclass\n@dataclass(frozen=True)\nclass Point:\n    x: float\n    y: float\n\n"
        "def midpoint(a, b):\n    return Point((a.x + b.x) / 2, (a.y + b.y) / 2)",
        "assert midpoint(Point(0, 0), Point(2, 4)) == Point(1, 2)\nassert midpoint(Point(1, 1), Point(1, 3)).y == 2",
    ),
    "bounds": (
        "from collections import namedtuple\nBounds = namedtuple('Bounds', 'low high')\n"
        "def bounds(values):\n    return Bounds(min(values), max(values))",
        "assert bounds([3, 1, 2]) == (1, 3)\nassert bounds([5]).high == 5",
    ),
    "weekday": (
        "import datetime\ndef weekday(text):\n    return datetime.date.fromisoformat(text)",
        "import datetime\nassert weekday('2024-02-29') == datetime.date(2024, 2, 29)\n"
        "assert weekday('2024-03-01').isoweekday() == 5",
    ),
    "price": (
        "from decimal import Decimal\ndef price(text):\n    return Decimal(text) * Decimal('1.1')",
        "from decimal import Decimal\nassert price('2.50') == Decimal('2.75')\nassert str(price('1')) == '1.1'",
    ),
    "ratio": (
        "from fractions import Fraction\ndef ratio(a, b):\n    return Fraction(a, b)",
        "from fractions import Fraction\nassert ratio(2, 4) == Fraction(1, 2)\nassert ratio(6, 3) == 2",
    ),
    "complex_roots": (
        "import cmath\ndef complex_roots(b, c):\n    d = cmath.sqrt(b * b - 4 * c)\n"
        "    return (-b + d) / 2, (-b - d) / 2",
        "assert complex_roots(0, 1) == (1j, -1j)\nassert complex_roots(-3, 2) == (2, 1)",
    ),
    "merge_into": (
        "def merge_into(target, other):\n    for key, value in other.items():\n"
        "        target[key] = target.get(key, 0) + value",
        "t = {'a': 1}\nassert merge_into(t, {'a': 2, 'b': 3}) is None\nassert t == {'a': 3, 'b': 3}",
    ),
    "visits": (
        "count = 0\ndef visits():\n    global count\n    count += 1\n    return count",
        "assert [visits() for _ in range(50)] == list(range(1, 51))\nassert count == 50",
    ),
    "longest": (
        "def longest(words):\n    return max(words, key=len, default=None)",
        "assert longest(['a', 'bbb', 'cc']) == 'bbb'\nassert longest([]) is None",
    ),
    "balanced": (
        "def balanced(text):\n    depth = 0\n    for c in text:\n        depth += (c == '(') - (c == ')')\n"
        "        if depth < 0:\n            return False\n    return depth == 0",
        "def check(candidate):\n    assert candidate('(())') is True\n    assert candidate(')(') is False\n"
        "    assert candidate('(') is False\n\ncheck(balanced)",
    ),
    "rotated": (
        "from collections import deque\ndef rotated(items, n):\n    found = deque(items)\n    found.rotate(n)\n"
        "    return found",
        "from collections import deque\nassert rotated([1, 2, 3], 1) == deque([3, 1, 2])\n"
        "assert list(rotated('ab', 2)) == ['a', 'b']",
    ),
    "checksum": (
        "import hashlib\ndef checksum(text):\n    return hashlib.md5(text.encode()).hexdigest()",
        "assert checksum('') == 'd41d8cd98f00b204e9800998ecf8427e'\nassert checksum('a') != checksum('b')",
    ),
    "factorial": (
        "def factorial(n):\n    return 1 if n < 2 else n * factorial(n - 1)",
        "import math\nfor n in range(200):\n    assert factorial(n) == math.factorial(n), n",
    ),
}
