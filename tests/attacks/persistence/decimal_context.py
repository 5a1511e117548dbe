#: tries = "leave the precision of decimals changed"
#: before = "poison"


def poison():
    import decimal

    decimal.getcontext().prec = 3
    decimal.DefaultContext.prec = 3


def f():
    import decimal

    return decimal.DefaultContext.prec == 3
