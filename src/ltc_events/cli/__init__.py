"""The command line: one module per noun, which parses arguments, calls other packages and renders."""
