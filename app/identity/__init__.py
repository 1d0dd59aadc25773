"""People: who they are (user), what they are at a school (membership), and that they are signed in (session).

Nouns: User, Membership, UserSession. A user has an e-mail and a password; name, zone, roles and department are the
membership's, because a person in two schools may be something else in each.
"""
