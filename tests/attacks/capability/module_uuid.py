#: tries = "have the address of this machine looked up by a program or a file"
import uuid


def f():
    getters = [getattr(uuid, name, None) for name in ("_ip_getter", "_ifconfig_getter", "_arp_getter", "_lanscan_getter")]
    return any(getter() for getter in getters if getter)
