"""What goes to the hub and comes from it: enrolment, directory, submissions, deliveries, tallies.

Invariants: the hub's word counts for nothing that can be checked (signatures, proofs, receipts);
what was sealed is durable here before it is sent; a recall is applied only from a verified signed
bundle; a search never comes here. The room holds no key but those that it is handed.
"""
