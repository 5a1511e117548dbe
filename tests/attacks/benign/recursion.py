#: inputs = [[10], [20]]
#: outputs = [[55, 3628800], [6765, 2432902008176640000]]


def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def f(n):
    def factorial(k):
        return 1 if k == 0 else k * factorial(k - 1)

    return [fib(n), factorial(n)]
