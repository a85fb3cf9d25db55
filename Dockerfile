# The service of Codemode, for a read-only root: `docker build -t codemode .`, then docs/how-to/deploy.md.
ARG PYTHON_IMAGE=python:3.13-slim

FROM ${PYTHON_IMAGE} AS build
WORKDIR /src
# The list of packages alone first: they are fetched again only when it changes.
COPY pyproject.toml README.md LICENSE ./
COPY codemode/__init__.py codemode/
RUN mkdir -p sandbox && touch sandbox/__init__.py \
    && python -m pip wheel --no-cache-dir --wheel-dir /wheels '.[serve,mcp,telemetry,tz,seal,postgres]' \
    && rm /wheels/codemode-*.whl
COPY codemode codemode
COPY sandbox sandbox
RUN python -m pip wheel --no-cache-dir --no-deps --wheel-dir /wheels . \
    && python -m venv --without-pip /opt/codemode \
    && python -m pip --python /opt/codemode/bin/python install --no-cache-dir --no-index --find-links /wheels \
       'codemode[serve,mcp,telemetry,tz,seal,postgres]'

FROM ${PYTHON_IMAGE}
# A number, so that a runtime can see that it is not root; nobody can log in as it.
RUN groupadd --system --gid 10001 codemode \
    && useradd --system --uid 10001 --gid 10001 --home-dir /data --no-create-home --shell /usr/sbin/nologin codemode \
    && install --directory --owner codemode --group codemode --mode 0700 /data
COPY --from=build /opt/codemode /opt/codemode
ENV PATH=/opt/codemode/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    CODEMODE_DATA_DIR=/data \
    CODEMODE_LOG_FORMAT=json
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8400
# The process answers; whether executions are taken says /ready, which is the balancer's to ask.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8400/health', timeout=4).read()"]
# No shell and no init stand between: as process 1 it hands signals on to the service, and reaps.
STOPSIGNAL SIGTERM
ENTRYPOINT ["codemode"]
CMD ["serve", "--host", "0.0.0.0"]
