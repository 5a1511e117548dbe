#: tries = "unpack a hundred kilobytes to a gigabyte"


def f():
    import zlib

    packer = zlib.compressobj(9)
    chunk = bytes(1 << 20)
    packed = b"".join([packer.compress(chunk) for _ in range(100)] + [packer.flush()])
    return sum(len(zlib.decompress(packed)) for _ in range(1)) > 0 and len(zlib.decompress(packed) * 10) > 1 << 29
