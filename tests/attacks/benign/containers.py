#: inputs = [["banana"]]
#: outputs = [[[["a", 3], ["n", 2]], {a = [1, 3, 5], b = [0], n = [2, 4]}, ["c", "b"], [1, 2]]]
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple


def f(text):
    places = defaultdict(list)
    for place, letter in enumerate(text):
        places[letter].append(place)
    queue = deque("abc", maxlen=3)
    queue.rotate(1)
    ordered = OrderedDict.fromkeys("abc")
    ordered.move_to_end("a")
    Pair = namedtuple("Pair", "left right")
    return [[list(pair) for pair in Counter(text).most_common(2)], dict(places), [queue[0], next(iter(ordered))], list(Pair(1, 2))]
