#: tries = "answer at random"
#: twice = true
#: wins_status = ["ok"]


def f():
    import random

    return random.SystemRandom().random()
