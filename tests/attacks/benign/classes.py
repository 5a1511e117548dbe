#: inputs = [[3]]
#: outputs = [[9, 12, "Square(3)", true, false]]


class Shape:
    def __init__(self, side):
        self.side = side

    def __repr__(self):
        return f"{type(self).__name__}({self.side})"

    @property
    def area(self):
        raise NotImplementedError


class Square(Shape):
    @property
    def area(self):
        return self.side**2

    @classmethod
    def perimeter(cls, side):
        return 4 * side


def f(side):
    shape = Square(side)
    return [shape.area, Square.perimeter(side), repr(shape), isinstance(shape, Shape), hasattr(shape, "colour")]
