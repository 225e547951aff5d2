# syntax=docker/dockerfile:1
# One image with the three programs: anka-operator, anka-shim and anka-agent. docs/image.md tells how it is built.
# Any image with Python 3.11 or newer and its venv module; for what is released, give one by digest:
#   --build-arg BASE=python:3.13-slim-bookworm@sha256:...
ARG BASE=python:3.13-slim-bookworm

FROM ${BASE} AS build
WORKDIR /src
# pip and its kind stay in this stage.
RUN python3 -m venv /tool && python3 -m venv --without-pip /app
COPY pyproject.toml constraints.txt README.md ./
COPY crds crds
COPY operator operator
COPY agent agent
COPY api-shim api-shim
# Without dev/, which stays out of the context, its command is an empty promise.
RUN /tool/bin/pip --python /app/bin/python install --no-cache-dir --only-binary=:all: \
      --constraint constraints.txt '.[operator,shim]' \
 && rm /app/bin/anka-dev

FROM ${BASE}
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="anka-cloud" \
      org.opencontainers.image.description="The Anka build cloud for Kubernetes" \
      org.opencontainers.image.version="${VERSION}"
COPY --from=build /app /app
ENV PATH=/app/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
USER 65532:65532
# Which program it is, the command says.
CMD ["anka-operator", "--help"]
