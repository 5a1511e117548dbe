#: tries = "make looking the entry up run code: a namespace whose module lies"
#: wins = ["forged"]
import sys


class Trap:
    def __call__(self, *arguments):
        sys._getframe(1).f_locals["got"] = "forged"
        return type("Forged", (str,), {"__eq__": lambda self, other: True, "__hash__": None})("honest")


f = Trap()
