#: tries = "declare an encoding under which the source reads differently"
#: built = true
#: wins = ["unmatchable", "other"]


def build():
    hidden = "+AAo-def f():+AAo-    return +ACI-other+ACI-"
    return f"# -*- coding: utf-7 -*-\ndef f():\n    return 'plain'\n# {hidden}\n"
