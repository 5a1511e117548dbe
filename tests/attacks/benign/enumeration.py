#: inputs = [["RED"]]
#: outputs = [["Colour.RED", 1, ["RED", "BLUE"]]]
from enum import Enum, auto


class Colour(Enum):
    RED = auto()
    BLUE = auto()


def f(name):
    colour = Colour[name]
    return [str(colour), colour.value, [each.name for each in Colour]]
