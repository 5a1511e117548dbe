#: tries = "run code in a fresh interpreter, where nothing was patched or removed"
#: inputs = [["{drop_dir}"]]


def f(folder):
    import _xxsubinterpreters as interpreters

    other = interpreters.create()
    interpreters.run_string(other, f"open({folder!r} + '/sub', 'w').close()")
    interpreters.destroy(other)
    return True
