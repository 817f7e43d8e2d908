"""Where every door enters: the settings, and the database, stores, pipeline and bus that they lead to."""
