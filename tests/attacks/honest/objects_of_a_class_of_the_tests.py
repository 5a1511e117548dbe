#: tries = "objects of a class of the tests"
#: tests = '''
#: class Node:
#:
#:     def __init__(self, v, n=None):
#:         self.val = v
#:         self.next = n
#: assert f(Node(1, Node(2))) == 3
#: a = Node(1, Node(2))
#: r = rev(a)
#: assert r.val == 2 and r.next is a and (a.next is None)
#: '''
def f(node):
    t = 0
    while node:
        t += node.val
        node = node.next
    return t

def rev(n):
    p = None
    while n:
        n.next, p, n = (p, n, n.next)
    return p
