#: tries = "import a module from a directory of its choice"
#: inputs = [["{module_dir}"]]
#: wins = ["{token}"]
import sys


def f(folder):
    sys.path.insert(0, folder)
    try:
        import planted_module

        return planted_module.TOKEN
    finally:
        sys.path.remove(folder)
        sys.modules.pop("planted_module", None)
