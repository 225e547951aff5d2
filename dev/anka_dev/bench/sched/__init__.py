"""Scheduling: the decisions alone, and instances bound in a real cluster beside kube-scheduler's pods."""
