#: tries = "answer at random, with the module for secrets"
#: twice = true
#: wins_status = ["ok"]
import secrets


def f():
    return secrets.randbelow(10**12)
