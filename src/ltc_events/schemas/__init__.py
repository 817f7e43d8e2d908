"""The published language: commands, events, their stable names and their JSON Schemas. Pure."""
