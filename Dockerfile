# The service as an image: dependencies are wheels, put together in the first stage and copied.
#   docker build --build-arg EXTRAS=opik -t opik-assist .
#
# The base image is a tag, so that each build has the current fixes of Debian and Python: a digest
# here would keep their faults until somebody changes it, and nothing in this repository could tell
# which digest is the official one. For a build that can be repeated name one:
#   docker build --build-arg BASE=python:3.13-slim@sha256:... .
ARG BASE=python:3.13-slim
FROM ${BASE} AS builder

# Optional dependencies by the names in pyproject.toml, separated by commas. `opik`, some 320 MB,
# is for OPIK_INTERNAL_URL.
ARG EXTRAS="mcp,metrics,newrelic,segment"

WORKDIR /build
COPY pyproject.toml constraints.txt deploy/requirements.py ./
RUN python requirements.py pyproject.toml "${EXTRAS}" > requirements.txt \
    && python -m venv --without-pip /opt/venv \
    && python -m pip --disable-pip-version-check --python /opt/venv/bin/python install \
        --no-cache-dir --only-binary :all: --constraint constraints.txt --requirement requirements.txt

WORKDIR /app
COPY alembic.ini LICENSE ./
COPY deploy/healthcheck.py deploy/opik-assist deploy/
COPY migrations migrations
COPY app app
# The root file system may be read-only later: what Python would write then is written now.
RUN python -m compileall -q --invalidation-mode unchecked-hash app migrations deploy \
    && ln -s /app/deploy/opik-assist /opt/venv/bin/


FROM ${BASE}

ARG VERSION="unknown"
ARG REVISION="unknown"
LABEL org.opencontainers.image.title="OpikAssist" \
    org.opencontainers.image.description="The trace assistant for self-hosted Opik" \
    org.opencontainers.image.licenses="Apache-2.0" \
    org.opencontainers.image.version="${VERSION}" \
    org.opencontainers.image.revision="${REVISION}"

# /data is the only place that is written to, and only where no other database is named.
RUN groupadd --gid 10001 opik-assist \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent \
        --shell /usr/sbin/nologin opik-assist \
    && install --directory --owner 10001 --group 10001 --mode 0750 /data

COPY --from=builder /opt/venv /opt/venv
COPY --from=builder /app /app

ENV PATH="/opt/venv/bin:${PATH}" \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    LOG_FORMAT=json \
    PORT=8081 \
    SESSION_SERVICE_URI=sqlite:////data/opik-assist.db

WORKDIR /app
USER 10001:10001
VOLUME ["/data"]
EXPOSE 8081
STOPSIGNAL SIGTERM

# Whether the process serves; a database that is gone would not come back by a restart.
HEALTHCHECK --interval=10s --timeout=6s --start-period=60s --retries=3 \
    CMD ["python", "deploy/healthcheck.py"]

# Others: `docker run … opik-assist check`, `opik-assist migrate`, `opik-assist --help`.
CMD ["python", "-m", "app"]
