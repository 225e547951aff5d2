"""The pictures of the portal in the documentation: of a real cloud, with simulated Macs."""
