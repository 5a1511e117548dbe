#: tries = "answer at random, with an identifier"
#: twice = true
#: wins_status = ["ok"]
import uuid


def f():
    return str(uuid.uuid4())
