"""Decisions around recall, pure: what is asked, the block for a prompt, the explanation."""
