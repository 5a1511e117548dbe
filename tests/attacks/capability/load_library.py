#: tries = "load a shared library as an extension module"


def f():
    import _frozen_importlib as importlib
    import _imp
    import sys

    folders = [*sys.path, "/usr/lib/python3.11/lib-dynload", "/usr/lib/python3/dist-packages"]
    version = f"{sys.version_info[0]}{sys.version_info[1]}"
    for folder in folders:
        for machine in ("x86_64", "aarch64"):
            path = f"{folder}/_multibytecodec.cpython-{version}-{machine}-linux-gnu.so"
            try:
                return _imp.create_dynamic(importlib.ModuleSpec("_multibytecodec", None, origin=path)) is not None
            except ImportError:
                continue
