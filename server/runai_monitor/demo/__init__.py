"""The simulated tenant: a Run:ai control plane, a Kubernetes API and a Slack webhook on loopback sockets.

Here belongs what plays the other side of the wire: a small cluster that changes by script, and servers that speak
about it exactly as the real ones do, failures included. What watches it does not belong here: nothing in this package
knows how the monitor works, so that a monitor which passes has really read the wire.
"""
