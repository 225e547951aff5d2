"""The portal: pages for people, live from the caches (docs/operate/portal.md)."""
