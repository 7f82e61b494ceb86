"""What no member of an organization may see, change or infer of another one."""
