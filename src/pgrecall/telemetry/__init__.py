"""What operations leave behind: counts for agent_memory_stats, measurements of this process."""
