"""Everything a person or a model may ask, implemented once; the surfaces (MCP, command line) only ask and show.

Here: the scope limit, the reading of arguments, queries, actions, the feed of changed alerts, the results they return.
Not here: protocols and their schemas (`mcp_server`), decisions about alerts (`monitor`), SQL (`store`).
"""
