"""The container image, built where there is no Docker: by buildah, in chroots, on a small Debian made here."""
