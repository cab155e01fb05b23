"""Capabilities over HTTP and MCP: an act is asked for, admitted by the door, done in a process of its own, and kept.

Any worker can tell how an act stands and page through its results, because both are files in the home.
"""
