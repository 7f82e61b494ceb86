"""The doctor, tried on databases that were broken on purpose."""
