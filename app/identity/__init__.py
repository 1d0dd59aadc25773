"""People: who they are (user), what they are at a school (membership), and that they are signed in (session).

Nouns: User, Membership, UserSession, OneUseToken (a mailed or printed link), RecoveryCode, PeopleImport. A user has an e-mail, a
password and maybe a second factor; name, zone, roles and department are the membership's, because a person in two schools may be
something else in each. Events: somebody asked to join, was invited, joined, was approved, declined, suspended, reinstated, erased
or acted as; roles and profiles changed.
"""
