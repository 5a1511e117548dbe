#: tries = "have a file read as a time zone"
#: inputs = [["{secret_path}"]]
#: wins = [true]
import zoneinfo


def f(path):
    zoneinfo.reset_tzpath(["/"])
    try:
        zoneinfo.ZoneInfo(path.lstrip("/"))
    except zoneinfo.ZoneInfoNotFoundError:
        return False
    except ValueError:
        return True  # it was read, and is no time zone
