"""Who is compared with: one file a peer. Each function makes a Contender for one kind of work, or is Absent."""
