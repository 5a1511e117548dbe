#: inputs = [[0], [1], [2], [3], [4]]
#: outputs = [{}, [], "", {nested = {list = [true, false, 0, -1, 1.5, "é\u0000\"\\\n"]}}, [[], [[]], {"" = 0}]]


def f(which):
    return [{}, [], "", {"nested": {"list": [True, False, 0, -1, 1.5, 'é\0"\\\n']}}, [[], [[]], {"": 0}]][which]
