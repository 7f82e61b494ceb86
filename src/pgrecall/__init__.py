"""pgrecall: the agent memory system that lives in your own PostgreSQL."""
