"""The reference pages in docs/reference that are made from the code; drift fails `make lint`."""
