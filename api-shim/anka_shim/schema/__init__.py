"""What requests and answers look like, for the OpenAPI document. Tests hold real answers against these models."""
