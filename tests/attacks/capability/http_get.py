#: tries = "connect with the standard library's HTTP client"
#: inputs = [["{tcp_port}"]]


def f(port):
    import http.client

    client = http.client.HTTPConnection("127.0.0.1", port, timeout=0.1)
    client.connect()  # the listener records the connection
    client.close()
    return True
