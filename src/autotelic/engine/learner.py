"""Who learns: the learner of a charter, here or in a worker of a cluster."""

from __future__ import annotations

from transformers import PreTrainedModel

from autotelic.charter import Charter
from autotelic.learn.learner import PolicyLearner
from autotelic.learn.losses import Clip
from autotelic.learn.objective import Objective
from autotelic.machine import Machine
from autotelic.models.crew import Crew


def learner_of(charter: Charter, machine: Machine, model: PreTrainedModel, crew: Crew) -> PolicyLearner:
    """The learner of a charter, of this model's weights."""
    learn = charter.learn
    return PolicyLearner(
        model,
        lr_matrix=learn.lr_matrix,
        lr_other=learn.lr_other,
        clip=Clip(low=learn.clip_low, high=learn.clip_high, kl=learn.kl),
        objective=Objective(algorithm=learn.parts, longest=charter.roles.max_tokens),
        temperature=charter.roles.temperature,
        checkpointing=machine.checkpointing,
        optimiser=learn.optimiser,
        crew=crew,
    )
