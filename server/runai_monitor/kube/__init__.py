"""The Kubernetes API, read-only verbs: pods, events, logs, and a watch of pods.

What belongs here: configuration and authentication (through the official client), paths, decoding, errors. What does
not: any opinion about what a container's state means.
"""
