# syntax=docker/dockerfile:1
# One image with the three programs: anka-operator, anka-shim and anka-agent. docs/operate/image.md tells how it is built.
# Any image with Python 3.11 or newer and its venv module; for what is released, give one by digest:
#   --build-arg BASE=python:3.13-slim-bookworm@sha256:...
ARG BASE=python:3.13-slim-bookworm

FROM ${BASE} AS build
WORKDIR /src
# pip and its kind stay in this stage. What is downloaded must have a hash that the locks know.
RUN python3 -m venv /tool && python3 -m venv --without-pip /app
COPY requirements-build.txt requirements-image.txt ./
RUN export PIP_NO_CACHE_DIR=1 PIP_ONLY_BINARY=:all: \
 && /tool/bin/pip install --require-hashes --requirement requirements-build.txt \
 && /tool/bin/pip --python /app/bin/python install --require-hashes --requirement requirements-image.txt
COPY pyproject.toml README.md ./
COPY crds crds
COPY lib lib
COPY operator operator
COPY agent agent
COPY api-shim api-shim
# Without dev/, which stays out of the context, its commands could not run.
RUN /tool/bin/pip wheel --no-index --no-deps --no-build-isolation --wheel-dir /wheel . \
 && /tool/bin/pip --python /app/bin/python install --no-cache-dir --no-index --no-deps /wheel/*.whl \
 && rm /app/bin/anka-dev /app/bin/anka-sim

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
