"""Who may do what, and what is misuse: policy, screening, approvals, the kill switch."""
