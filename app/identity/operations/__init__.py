"""Every write about people: accounts, memberships, sessions."""
