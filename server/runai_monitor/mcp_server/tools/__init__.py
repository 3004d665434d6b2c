"""One module per noun; each offers a function that returns its tools. Only words and shapes: `operations` does the work."""
