"""The read tables of the product, one file each."""
