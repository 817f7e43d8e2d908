"""Backup, restore, and recovery of a store that went back behind what Kafka or read tables have."""
