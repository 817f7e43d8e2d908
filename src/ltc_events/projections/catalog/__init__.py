"""What read tables the database holds, where their events come from, and how they do."""
