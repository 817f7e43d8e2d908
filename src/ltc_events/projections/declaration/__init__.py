"""The declaration of read tables: columns, key, handlers; and the names of their builds."""
