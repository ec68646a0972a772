"""Replace moto's Resource Access Manager by one that invites, accepts and grants."""
