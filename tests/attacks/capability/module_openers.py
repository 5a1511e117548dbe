#: tries = "open a file with whatever opens one in any module that can be imported"
#: inputs = [["{secret_path}"]]
#: wins = ["{token}"]
import sys


def f(path):
    for module in list(sys.modules.values()):
        for name in ("open", "open_code", "FileIO", "_io", "updatecache", "getline"):
            opener = getattr(module, name, None)
            for attempt in (getattr(opener, "open", None), opener):
                try:
                    found = attempt(path, 1) if name == "getline" else attempt(path)
                    text = found if isinstance(found, str) else found.read()
                    text = text.decode() if isinstance(text, bytes) else text
                except BaseException:
                    continue
                if isinstance(text, str) and text.strip():
                    return text.strip()
