"""The assistant's tools for coding agents, by the Model Context Protocol.

Imported only where MCP is switched on: the `mcp` library is an extra.
"""
