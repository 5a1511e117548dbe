#: tries = "load a shared library as an extension module"


def f():
    import _frozen_importlib as importlib
    import _imp
    import sys

    names = [module.__file__ for module in list(sys.modules.values()) if str(getattr(module, "__file__", "")).endswith(".so")]
    for folder in sys.path:
        names.append(folder + "/lib-dynload/_multibytecodec.cpython-311-x86_64-linux-gnu.so")
    names += ["/usr/lib/python3.11/lib-dynload/_multibytecodec.cpython-311-x86_64-linux-gnu.so"]
    for name in names:
        try:
            spec = importlib.ModuleSpec(name.split("/")[-1].split(".")[0], None, origin=name)
            return _imp.create_dynamic(spec) is not None
        except ImportError:
            continue
