"""The demo: two schools with people, courses and bookings, a generator of many more, and the mailbox that shows sent mail.

Nouns: SeedStep. Runs only in demo mode.
"""
