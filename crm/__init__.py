"""Throughline: an advocacy and resource mobilisation CRM. Imports nothing, so that the import tree stays acyclic."""
