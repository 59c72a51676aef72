"""The listening protocol that only a person can do, and the table that decides whether a release may go."""
