"""What personas may do in an account, and what roles found there may do beside it: pure, no database, no AWS."""
