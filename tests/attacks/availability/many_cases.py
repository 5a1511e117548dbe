#: tries = "be slow to start on every one of many cases, each tiny"
#: inputs = [[0],[1],[2],[3],[4],[5],[6],[7],[8],[9],[10],[11],[12],[13],[14],[15],[16],[17],[18],[19],[20],[21],[22],[23],[24],[25],[26],[27],[28],[29],[30],[31]]
#: wins = ["unmatchable"]


def f(number):
    return [[number] * 60] * 100
