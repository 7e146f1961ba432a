"""One file per kind of AWS resource: its identity, attributes, how it is observed, created, updated and deleted.

Diffing, ordering and guarding are not its business. `registry.py` lists the kinds.
"""
