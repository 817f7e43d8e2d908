"""How a read table is declared: columns, key, handlers; and what its builds are called."""
