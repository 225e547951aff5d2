# One image for the operator and the API shim; the agent runs on Macs. Built by: docker build -t anka-cloud .
FROM python:3.13-slim AS build
WORKDIR /src
COPY pyproject.toml constraints.txt README.md ./
COPY crds crds
COPY operator operator
COPY agent agent
COPY api-shim api-shim
COPY dev dev
RUN python -m venv /app \
 && /app/bin/pip install --no-cache-dir -c constraints.txt '.[operator,shim]' \
 && rm -rf /app/lib/python3.*/site-packages/anka_dev

FROM python:3.13-slim
COPY --from=build /app /app
ENV PATH=/app/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 65532:65532
# Which process it is, the command says: anka-operator or anka-shim.
CMD ["anka-operator", "--help"]
