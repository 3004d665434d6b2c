"""One file per schema, never changed once it was released."""
