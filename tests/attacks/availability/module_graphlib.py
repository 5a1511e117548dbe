#: tries = "sort a graph of a million edges"
#: wins = ["unmatchable"]
import graphlib


def f():
    graph = {n: range(max(0, n - 40), n) for n in range(10**5)}
    return len(list(graphlib.TopologicalSorter(graph).static_order()))
