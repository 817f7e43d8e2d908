"""Reports: one SQL file each, which declares its parameters and columns; typed rows out."""
