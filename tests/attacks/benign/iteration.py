#: inputs = [[[3, 1, 2]]]
#: outputs = [[[[3, 1], [3, 2], [1, 2]], [3, 4, 6], 6, [[1, [1, 3]], [0, [2]]], [3, 1, 2, 9]]]
from itertools import accumulate, chain, combinations, groupby, islice, permutations


def f(values):
    pairs = [list(pair) for pair in combinations(values, 2)]
    groups = [[key, list(items)] for key, items in groupby(sorted(values, key=lambda v: (-(v % 2), v)), key=lambda v: v % 2)]
    return [pairs, list(accumulate(values)), len(list(permutations(values))), groups, list(islice(chain(values, [9, 9]), 4))]
