"""A store that has gone back: seeing it beside what others have seen, and the way out."""
