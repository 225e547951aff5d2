"""Identities of the cluster: who they are by TokenReview, what they may do by SubjectAccessReview."""
