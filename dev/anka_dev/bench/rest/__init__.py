"""The legacy REST API under load, beside the apiserver that it is served from."""
