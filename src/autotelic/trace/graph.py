"""A lineage as a graph: nodes with facts, and edges that say how one came from another.

Ids of nodes are those that `autotelic inspect` takes, where it has one:

    attempt:340   proposal:12   task:3fa9...   update:7   message:99   weights:sha256:...
    rules   run   leaf:PLACE:17
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

RULES_NODE, RUN_NODE = "rules", "run"


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """`source` came about through `target`; `relation` says how."""

    source: str
    relation: str
    target: str


@dataclass(slots=True, kw_only=True)
class Provenance:
    """All that an answer rests on. `subject` is the node it is about.

    `missing` has a line for each link whose other end the run does not have; a whole lineage has none. `notes`
    say what was left out on purpose, and why.
    """

    subject: str
    nodes: dict[str, dict[str, Any]] = field(default_factory=dict)
    edges: list[Edge] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    _seen: set[Edge] = field(default_factory=set, repr=False)

    @property
    def complete(self) -> bool:
        """Whether every edge leads to a node, and nothing was found to be missing."""
        return not self.missing and all(e.source in self.nodes and e.target in self.nodes for e in self.edges)

    def has(self, node: str) -> bool:
        return node in self.nodes

    def add(self, node: str, kind: str, facts: Mapping[str, Any]) -> str:
        """A node with its facts; facts of one that is there already are kept and added to."""
        self.nodes[node] = {"kind": kind, **self.nodes.get(node, {}), **facts}
        return node

    def link(self, source: str, relation: str, target: str) -> None:
        """An edge, once."""
        edge = Edge(source=source, relation=relation, target=target)
        if edge not in self._seen:
            self._seen.add(edge)
            self.edges.append(edge)

    def targets(self, source: str, relation: str) -> list[str]:
        """The nodes that edges of this relation lead to, in order."""
        return [e.target for e in self.edges if e.source == source and e.relation == relation]

    def as_json(self) -> dict[str, Any]:
        """The whole as plain JSON."""
        return {
            "subject": self.subject,
            "complete": self.complete,
            "missing": self.missing,
            "notes": self.notes,
            "nodes": self.nodes,
            "edges": [[e.source, e.relation, e.target] for e in self.edges],
        }
