"""Operating a database: what is neither remembering nor recalling."""
