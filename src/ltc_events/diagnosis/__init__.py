"""What `ltc doctor` looks at: the database, Kafka, and how far behind those are who work between them."""
