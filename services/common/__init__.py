"""What every service needs, once."""
