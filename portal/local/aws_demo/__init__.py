"""What the demo shows of AWS beside the registry, for the credit-risk model: one module per system."""
