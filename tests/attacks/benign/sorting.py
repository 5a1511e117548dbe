#: inputs = [[["pear", "fig", "apple"]]]
#: outputs = [[["fig", "pear", "apple"], ["pear", "fig", "apple"], "apple"]]


def f(words):
    return [sorted(words, key=lambda word: (len(word), word)), sorted(words, reverse=True), min(words)]
