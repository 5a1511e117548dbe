"""Why a model did what it did: lineage, attribution, what changed, and the bundle for someone outside."""
