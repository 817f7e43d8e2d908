"""An event-sourced lead-to-cash ledger: leads, opportunities, quotes, orders, invoices and payments as immutable events."""
