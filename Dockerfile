# orgctl run: the daemon and nothing else. docs/operations.md, "In a container", shows how to start it.

FROM python:3.13-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
COPY deploy/requirements.lock ./
# Wheels only: nothing is compiled, so nothing needs a compiler.
RUN python -m venv /opt/orgctl \
    && /opt/orgctl/bin/python -m pip install --require-hashes --only-binary :all: --requirement requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY controller ./controller
# What installs is gone again before the next stage takes the result.
RUN /opt/orgctl/bin/python -m pip install --no-deps --no-build-isolation . \
    && /opt/orgctl/bin/python -m compileall -q /opt/orgctl/lib \
    && /opt/orgctl/bin/python -m pip uninstall --yes --quiet setuptools pip

FROM python:3.13-slim-bookworm
# git fetches the desired state, over https or ssh. Debian's security updates of the day, so without versions.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates git openssh-client \
    && rm -rf /var/lib/apt/lists/* \
    && python -m pip uninstall --yes --quiet --root-user-action=ignore pip \
    && groupadd --gid 65532 orgctl \
    && useradd --uid 65532 --gid 65532 --no-create-home --home-dir /var/lib/orgctl --shell /usr/sbin/nologin orgctl \
    && install --directory --owner=65532 --group=65532 --mode=0700 /var/lib/orgctl \
    && install --directory /etc/orgctl
COPY deploy/known_hosts /etc/ssh/ssh_known_hosts
COPY --from=build /opt/orgctl /opt/orgctl

# Everything that is written lies in the volume (and /tmp, for git): the root file system may be read-only.
ENV PATH=/opt/orgctl/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    ORGCTL_STATE_DIR=/var/lib/orgctl \
    ORGCTL_LISTEN=0.0.0.0:9464 \
    ORGCTL_LOG_FORMAT=json
# orgctl.yaml is read from the working directory: mount it there.
WORKDIR /etc/orgctl
VOLUME /var/lib/orgctl
EXPOSE 9464
USER 65532:65532
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9464/healthz', timeout=3)"]
ENTRYPOINT ["orgctl"]
CMD ["--help"]
