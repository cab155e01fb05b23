"""What JavaScript alone has: its built-in objects, promises, and what its web frameworks check and answer."""
