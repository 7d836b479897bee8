"""Figures of objects and their pointers: what is in them (`model`), where it stands (`layout`), how it is written.

`figures` builds them from live objects; `terminal`, `svg`, `dot` and `mermaid` write any graph.
"""
