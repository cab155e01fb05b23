"""Who may be at the door, and for what: organisations, people, workloads, keys, engagements and their scopes.

Values and rules are pure (`machines`, `scope`, `keys`, `facts`); `directory` reads and writes them through the store.
Nothing here decides policy.
"""
