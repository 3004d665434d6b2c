"""The MCP surface: tools, resources, prompts, push, and the transports that carry them.

Here: what the protocol needs and the texts models read. Not here: what is asked or done (`operations`).
"""
