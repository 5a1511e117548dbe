#: inputs = [[[1, 2]]]
#: outputs = [[2, 1]]
from __future__ import annotations

from typing import Any, Generic, Optional, Protocol, TypeVar

T = TypeVar("T")


class Stack(Generic[T]):
    def __init__(self) -> None:
        self.items: list[T] = []

    def push(self, item: T) -> Stack[T]:
        self.items.append(item)
        return self


class Sized(Protocol):
    def size(self) -> int: ...


def f(values: list[int], default: Optional[Any] = None) -> list[int]:
    stack: Stack[int] = Stack()
    for value in values:
        stack.push(value)
    return [stack.items.pop() for _ in values]
