"""Insulin for virtual patients: therapies judged by a simulator. Research software, not medical advice."""

from autotelic.domains.insulin.domain import InsulinDomain as InsulinDomain
from autotelic.domains.insulin.titration import TitrationDomain as TitrationDomain
