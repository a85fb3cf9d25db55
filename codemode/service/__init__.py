"""What the faces of a service share: who calls, which sessions he reaches, and what is done in the background."""
