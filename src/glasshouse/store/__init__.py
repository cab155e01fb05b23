"""Ordinary tables: organisations, people, keys, engagements, approvals, halts, use.  SQLite or PostgreSQL.

`place` says where, `watch` sees within a moment that something changed (and needs no SQLAlchemy), `database` opens and
migrates, `records` reads and writes value types, `usage` counts against limits, `copies` backs up and restores.
"""
