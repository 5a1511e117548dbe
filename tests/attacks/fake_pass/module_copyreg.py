#: tries = "have its class reduced to the answer"
import copyreg


class Answer:
    pass


copyreg.pickle(Answer, lambda answer: (bool, (1,)))


def f():
    return Answer()
