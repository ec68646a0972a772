"""Figures and pages that span both apps."""
