#: tries = "import the part that fetches beside the one that parses"
#: inputs = [["{tcp_port}"]]
#: wins = [true]
import urllib.parse


def f(port):
    import urllib.request

    with urllib.request.urlopen(urllib.parse.urlunsplit(("http", f"127.0.0.1:{port}", "/", "", "")), timeout=0.2):
        return True
