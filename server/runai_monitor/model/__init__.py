"""Plain values that every layer shares: frozen, typed, without I/O; imports nothing of ours but errors."""
