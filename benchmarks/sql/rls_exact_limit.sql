SELECT agent_memory.has_vector(), agent_memory.exact_limit();
