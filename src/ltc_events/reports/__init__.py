"""Reports: one SQL file each, which says what it reports, with what parameters and columns; typed rows out."""
