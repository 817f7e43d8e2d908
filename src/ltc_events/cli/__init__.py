"""The command line: one module per noun; it only reads arguments, calls what does the work, and renders."""
