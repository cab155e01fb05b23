"""HTTP: unchanged Anthropic and OpenAI clients reach a model through the door; capabilities as an API and over MCP.

The gateway decides nothing.  It finds the route (the table is closed), reads the key and the request, lets the door
decide, relays bytes, has answers screened while they stream, and sees that entries are durable before bytes leave.
"""
