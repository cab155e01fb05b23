"""Plans: from an incident to steps, and to and from CACAO 2.0 playbooks."""
