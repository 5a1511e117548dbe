#: inputs = [[0], [2], ["x"]]
#: outputs = [["division by zero", "done"], [5.0, "done"], ["TypeError", "done"]]


class Mine(ValueError):
    pass


def f(value):
    try:
        result = 10 / value
    except ZeroDivisionError as error:
        result = str(error)
    except TypeError:
        try:
            raise Mine("again") from None
        except ValueError:
            result = "TypeError"
    finally:
        last = "done"
    return [result, last]
