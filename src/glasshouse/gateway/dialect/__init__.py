"""API dialects of language models: what a request asks for, what an answer says, and how each dialect words an error.

Pure: bytes and values in, values out.  Bodies and events are read, never written anew, so what is relayed stays exact.
"""
