#: inputs = [["Hello, World"], ["  ünï ✓ 😀 "]]
#: outputs = [["hello, world", "dlroW ,olleH", ["Hello", "World"], 3], ["ünï ✓ 😀", " 😀 ✓ ïnü  ", ["ünï ✓ 😀"], 0]]


def f(text):
    return [text.strip().lower(), text[::-1], [part.strip() for part in text.split(",")], text.count("l")]
