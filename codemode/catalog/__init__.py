"""The control-plane database: tenants, their sessions, tokens, users and messages, and the audit log."""
