"""The proving ground: simulated situations in which a candidate is watched before it is reviewed.

>>> from autotelic.oversee.proving import shipped_packs
>>> [pack.name for pack in shipped_packs()][:3]
['skill', 'retention', 'unscored']
"""

from autotelic.oversee.proving.ground import ALPHA, CandidateModel, PackReport, PackTest, prove, report_of
from autotelic.oversee.proving.pack import Pack, Scene, load_packs, read_packs, shipped_packs
from autotelic.oversee.proving.staging import PAIRS, ProgramsDomain, stage_scenes

__all__ = [
    "ALPHA",
    "PAIRS",
    "CandidateModel",
    "Pack",
    "PackReport",
    "PackTest",
    "ProgramsDomain",
    "Scene",
    "load_packs",
    "prove",
    "read_packs",
    "report_of",
    "shipped_packs",
    "stage_scenes",
]
