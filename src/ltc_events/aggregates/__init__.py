"""The aggregates: per noun a state, `decide` (command to events, or a refusal) and `evolve` (event to state). Pure."""
