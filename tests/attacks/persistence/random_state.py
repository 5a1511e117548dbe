#: tries = "set the random numbers that the next program will draw"
#: before = "poison"


def poison():
    import random

    random.seed(42)
    random.random()


def f():
    import random

    mine = random.Random(42)
    mine.random()
    return random.random() == mine.random()
