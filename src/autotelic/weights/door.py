"""The door of a run: the one way by which weights become those of its models.

put() ──► store, by digest ──► activate(ref, warrant) ──► model, checked again ──► digest
                            └─► export(folder, ref, warrant) ──► a folder that any tool loads
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from transformers import PreTrainedModel, PreTrainedTokenizerFast

from autotelic.errors import ModelError
from autotelic.models.adapter import merged
from autotelic.models.digest import copy_of, digest_of, digest_with
from autotelic.weights.load import read_files, save
from autotelic.weights.reference import Manifest, hashes_of
from autotelic.weights.store import Store
from autotelic.weights.tensors import put_into
from autotelic.weights.warrant import Role, Warrant

USES: tuple[Role, ...] = ("train", "reference", "champion", "examine", "serve", "replay")
"""The roles in which weights are put into a model."""


class Weights:
    """The door of one run. `model` is the working model, `start` the folder that it began from, whose
    configuration and tokenizer belong to every reference. `blobs` says where the tensors of each reference
    are in the store. `authority` is asked before weights are used, with the reference of the tensors that were
    read, the sha256 of the bytes that they were read from, and the role; it raises where that is not allowed. A run
    has one. Without one (a replay, an auditor's own examiner) the warrant alone decides.
    """

    authority: Callable[[str, str, Role], None] | None = None

    def __init__(self, model: PreTrainedModel, store: Store, start: Path) -> None:
        self.model = model
        self.store = store
        self.files = hashes_of(read_files(start))
        self.blobs: dict[str, str] = {}

    def digest(self, model: PreTrainedModel | None = None) -> str:
        """The digest of the tensors as they are now: what samplers sign turns with."""
        return digest_of(self.model if model is None else model)

    def current(self) -> str:
        """The reference of the working model as it is now."""
        return self._reference(self.digest())

    def _reference(self, tensors: str) -> str:
        return Manifest(tensors=tensors, files=self.files).ref

    def put(self) -> str:
        """Store what the model learns (its adapter alone where it has one), whole or not at all; its
        reference.
        """
        ref = self.current()
        self.blobs[ref] = self.store.put(copy_of(self.model))
        return ref

    def adopt(self, blobs: Mapping[str, str]) -> None:
        """Know again what an earlier process has stored."""
        self.blobs |= blobs

    def forget(self, kept: Collection[str]) -> None:
        """Know no other references than these any more."""
        self.blobs = {ref: blob for ref, blob in self.blobs.items() if ref in kept}

    def activate(self, ref: str, warrant: Warrant, into: PreTrainedModel | None = None) -> str:
        """Put stored weights into the working model, or into another of its kind; returns their digest.

        Raises ModelError for a reference that was never stored, a warrant for other weights or another use,
        and where what is in the model afterwards is not what the reference names.
        """
        warrant.check(ref, USES)
        model = self.model if into is None else into
        self._fill(model, ref, warrant.role)
        return self.digest(model)

    def _fill(self, model: PreTrainedModel, ref: str, role: Role) -> None:
        if ref not in self.blobs:
            raise ModelError(
                f"the weights {ref} were never stored by this run", "give a reference from its journal"
            )
        tensors = self.store.get(self.blobs[ref])
        if (found := self._reference(digest_with(model, tensors))) != ref:
            raise ModelError(
                f"the weights stored as {ref} are {found}", "resume from the last checkpoint that is whole"
            )
        if self.authority is not None:
            # The store hashed these bytes: what is asked about is what is loaded.
            self.authority(found, self.blobs[ref], role)
        put_into(model, tensors)
        model.tie_weights()
        if (arrived := self._reference(self.digest(model))) != ref:
            raise ModelError(
                f"the weights in the model are {arrived}, expected {ref}", "resume from the last checkpoint"
            )

    def export(self, folder: Path, ref: str, warrant: Warrant, tokenizer: PreTrainedTokenizerFast) -> str:
        """Write the model of a reference, its adapter merged, as a folder that any tool loads; the folder's
        reference.

        The working model keeps its weights.
        """
        warrant.check(ref, ("export",))
        model = copy.deepcopy(self.model)
        self._fill(model, ref, "export")
        return save(merged(model), tokenizer, folder)

    def check_exportable(self) -> None:
        """Raise ModelError at the start of a run where a champion could never be saved at its end."""
        try:
            merged(self.model)
        except Exception as error:  # what peft raises for an architecture it does not know is anybody's guess
            raise ModelError(
                f"the adapter cannot be merged into {type(self.model).__name__}: {type(error).__name__}",
                "set model.lora_rank = 0, or give a model of another kind",
            ) from error
