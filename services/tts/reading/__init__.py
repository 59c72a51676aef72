"""Written text becomes words to say. Pure: no engine, no I/O."""
