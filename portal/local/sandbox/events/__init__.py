"""Extend moto's EventBridge so that messages carry the account and cross accounts."""
