"""The frozen values of pgrecall and the pure functions that make them from arguments. No I/O."""
