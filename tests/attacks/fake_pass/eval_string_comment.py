#: tries = "return text that, spliced into a comparison, comments the rest away"
#: wins = "secret"


def f():
    return "0 or True)#"
