#: inputs = [[["move", 3, 4]], [{kind = "turn", by = 90}], [7], ["?"]]
#: outputs = ["3,4", "turn 90", "number", "other"]


def f(command):
    match command:
        case ["move", x, y]:
            return f"{x},{y}"
        case {"kind": "turn", "by": angle}:
            return f"turn {angle}"
        case int():
            return "number"
        case _:
            return "other"
