#: tries = "leave an import hook"
#: before = "poison"
import sys


class Hook:
    def find_spec(self, *_):
        return None


def poison():
    sys.meta_path.append(Hook())
    sys.path_hooks.append(print)


def f():
    return any(type(hook).__name__ == "Hook" for hook in sys.meta_path) or print in sys.path_hooks
