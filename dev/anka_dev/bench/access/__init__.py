"""What access costs."""
