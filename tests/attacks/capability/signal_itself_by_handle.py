#: tries = "use the negative handles that mean itself, and guessed ones, to send signals"
#: inputs = [["{signal}"]]
#: prelude = "libc"


def f(number):
    for handle in (-10000, -10001, -10002, -100, 0, 1, 2, 3, 4, 5):
        for sent in (number, 0, 9):
            if sent == 9 and handle < 0:
                continue
            if call("pidfd_send_signal", handle, sent, None, 0) == 0:
                return True
