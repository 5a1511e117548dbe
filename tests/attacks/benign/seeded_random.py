#: inputs = [[7]]
#: outputs = [[true, true, [1, 2, 3]]]
import random


def f(seed):
    one, two = random.Random(seed), random.Random(seed)
    first = [one.randint(1, 6) for _ in range(5)]
    return [first == [two.randint(1, 6) for _ in range(5)], all(1 <= roll <= 6 for roll in first), sorted(one.sample([1, 2, 3], 3))]
