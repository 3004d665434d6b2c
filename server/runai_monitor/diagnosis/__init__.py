"""Why a workload is not healthy: evidence, rules over it, ranked causes, a report.

What belongs here: gathering evidence with limits, redaction, and pure rules. What does not: deciding who is told.
"""
