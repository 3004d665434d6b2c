"""The catalogue: one file per family of causes. A rule reads a case and returns findings; it does no I/O.

To add a cause: an entry in the file of its family, its row in the documentation, and its case in the tests.
"""
