#: tries = "make a named shared memory segment"


def f():
    from multiprocessing import resource_tracker, shared_memory

    resource_tracker.register = resource_tracker.unregister = lambda *_: None  # its daemon is not the point here
    block = shared_memory.SharedMemory(create=True, size=16)
    block.close()
    block.unlink()
    return True
