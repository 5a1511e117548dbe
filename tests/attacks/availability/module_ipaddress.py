#: tries = "list every address there is"
#: wins = ["unmatchable"]
import ipaddress


def f():
    return len(list(ipaddress.ip_network("::/0").hosts()))
