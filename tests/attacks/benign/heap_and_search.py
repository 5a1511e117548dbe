#: inputs = [[[5, 1, 4, 2, 3]]]
#: outputs = [[[1, 2, 3], [5, 4], 2, 3]]
import bisect
import heapq


def f(values):
    heap = list(values)
    heapq.heapify(heap)
    ordered = sorted(values)
    return [[heapq.heappop(heap) for _ in range(3)], heapq.nlargest(2, values), bisect.bisect_left(ordered, 3), bisect.bisect(ordered, 3)]
