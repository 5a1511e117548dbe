#: tries = "build a syntax tree by hand that is too deep to compile"
#: wins = ["unmatchable"]


def f():
    import ast

    node = ast.Constant(1)
    for _ in range(200_000):
        node = ast.UnaryOp(ast.USub(), node)
    compile(ast.fix_missing_locations(ast.Expression(node)), "bomb", "eval")
