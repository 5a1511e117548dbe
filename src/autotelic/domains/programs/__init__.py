"""What the domains of Python have in common: inputs, running programs, behaviour, admission, rules, judging.

`python` and `functions` are two kinds of program with one shape: text is read into a checked program, run in
the sandbox on inputs and on fixed probes, and what it did decides whether it is a task and what is a right
answer.
"""
