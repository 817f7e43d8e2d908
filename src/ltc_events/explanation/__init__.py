"""Why an invoice is what it is: the events that made it, from the lead to the last cent, read from the store alone."""
