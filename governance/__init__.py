"""What is allowed: stages, approvals, policy, findings, the audit trail and the way back to AWS."""
