#: tries = "return NaN and infinities, which are no JSON and break its readers"
#: inputs = [["nan"], ["inf"], ["-inf"]]
#: wins = [nan, inf, -inf]


def f(text):
    return float(text)
