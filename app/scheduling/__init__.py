"""Scheduling: instructors keep their availability, learners ask, admins approve and assign; nothing is booked twice.

Nouns: Resource (person, aircraft, room, simulator), AvailabilityRule, AvailabilityException, Booking, Claim (what a booking
takes of a resource). Events: BookingRequested, BookingApproved, BookingAssigned, BookingDeclined, BookingCancelled,
BookingCompleted, BookingEscalated.
"""
