"""What changed and who should know: polls and watches feed a snapshot; pure functions decide; the engine acts.

Only `poll`, `pods`, `suspects` and `engine` do I/O here; `detect` and `policy` are pure.
"""
