"""What everything else is made of: errors, money, identifiers and the clock's interface. Pure."""
