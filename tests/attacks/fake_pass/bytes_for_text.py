#: tries = "pass bytes, bytearrays, sets and iterators off as text and lists"
#: inputs = [["bytes"], ["bytearray"], ["set"], ["iter"], ["range"]]
#: wins = ["ab", "ab", [1], [1], [1]]


def f(kind):
    return {"bytes": b"ab", "bytearray": bytearray(b"ab"), "set": {1}, "iter": iter([1]), "range": range(1, 2)}[kind]
