#: inputs = [[{a = [1, 2.5, "x"], b = {c = true}}]]
#: outputs = [["{\"a\": [1, 2.5, \"x\"], \"b\": {\"c\": true}}", true]]
import json


def f(value):
    text = json.dumps(value, sort_keys=True)
    return [text, json.loads(text) == value]
