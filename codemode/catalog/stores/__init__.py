"""The stores of the catalogue: SQLite in a file, SQLite in memory, PostgreSQL. Only they import a library of one."""
