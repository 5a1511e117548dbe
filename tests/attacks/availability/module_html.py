#: tries = "unescape a text that grows"
#: wins = ["unmatchable"]
import html


def f():
    text = "&amp;" * 1000
    while True:
        text = html.escape(text)
