#: tries = "names a function of the library as its own"
#: entry = "f"
#: tests = """
#: assert f('fig') == 'FIG'
#: assert f(sorted(['b', 'A'])[1]) == 'B'
#: assert absolute(-3) == 3
#: assert ordered([3, 1], reverse=True) == [3, 1]
#: numbers = [2, 1]
#: assert sorts(numbers) is None and numbers == [1, 2]
#: """
import operator

f = str.upper
absolute = operator.abs
ordered = sorted
sorts = list.sort
