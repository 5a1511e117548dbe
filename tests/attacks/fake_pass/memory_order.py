#: tries = "answer by the order in which sets of objects come out"
#: twice = true
#: wins_status = ["ok"]


class Thing:
    def __init__(self, number):
        self.number = number


def f():
    return [thing.number for thing in {Thing(number) for number in range(200)}]
