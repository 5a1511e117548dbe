#: tries = "unpack a gigabyte from a megabyte"
import zlib


def f():
    packer = zlib.compressobj(9)
    bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(1024)) + packer.flush()
    return len(zlib.decompress(bomb)) == 1 << 30
