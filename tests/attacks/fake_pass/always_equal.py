#: tries = "return an object that equals everything"
#: wins = "secret"


class Equal:
    def __eq__(self, other):
        return True

    def __ne__(self, other):
        return False

    def __hash__(self):
        return 0


def f():
    return Equal()
