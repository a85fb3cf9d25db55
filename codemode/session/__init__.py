"""One session: its turn, its transaction, its log, its expiry."""
