#: tries = "answer by the order of a set of strings"
#: twice = true
#: wins_status = ["ok"]


def f():
    return list({str(number) for number in range(100)})
