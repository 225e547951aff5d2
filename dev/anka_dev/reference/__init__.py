"""The pages, most of them in docs/reference, that are made from the code; drift fails `make lint`."""
