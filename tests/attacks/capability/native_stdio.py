#: tries = "reach Python's C interface and run a string with nothing patched"
#: inputs = [["{drop_dir}"]]


def f(folder):
    import ctypes

    return ctypes.pythonapi.PyRun_SimpleString(f"open({folder!r} + '/native', 'w').close()".encode()) == 0
