"""From a stored alert to a delivered message: rendering, one file per channel, and the outbox that tries until told.

What belongs here: formats, limits and retries of channels. What does not: who should be told what (`monitor.policy`).
"""
