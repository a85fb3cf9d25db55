"""The control-plane database: tenants and the records of their sessions."""
