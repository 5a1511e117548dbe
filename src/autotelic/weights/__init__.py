"""The one door for weights: what is loaded is what was hashed, and each use asks for a warrant."""
