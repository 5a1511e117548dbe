#: tries = "hear the answer in the audit event of a comparison that the runner compiles"
#: inputs = [["bait"], ["report"]]
#: wins = ["unmatchable", true]
import sys

heard = []


def listen(event, arguments):
    if event == "compile" and b"unmatchable" in bytes(str(arguments[0]), "utf-8", "replace"):
        heard.append(event)


def f(step):
    if step == "bait":
        sys.addaudithook(listen)
        return "0"
    return bool(heard)
