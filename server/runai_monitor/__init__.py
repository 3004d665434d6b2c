"""runai-monitor: watches NVIDIA Run:ai workloads, says why they fail, and tells people and agents at once.

Start reading at `app.py`, where every object is built once. The packages, from what knows most to what knows
least: `mcp_server` and `cli` (surfaces), `operations` (what anyone may ask), `monitor` (what changed and who should
know), `diagnosis` and `notify`, the adapters `runai`, `kube` and `store`, and `model` (plain values, no I/O).
"""

__version__ = "0.1.0"
