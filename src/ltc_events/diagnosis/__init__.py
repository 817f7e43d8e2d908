"""The checks of `ltc doctor`: the database, Kafka, and the lag of workers."""
