"""The composition root: settings, and the database, stores, pipeline and bus built from them."""
