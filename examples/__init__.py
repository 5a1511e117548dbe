"""Domains outside the package, each with a charter: what a domain of your own looks like."""
