# Made by `bowline dockerfile`; run it again when a requirements.txt or a Dockerfile.extra changes.
ARG BASE=montecarlodata/agent:1.2-generic
FROM ${BASE}

USER root
LABEL bowline.test="true"

# shop
RUN apt-get update \
  && true
RUN printf '%s\n' 'a==1' 'b; python_version > '\''3.8'\''' > /tmp/requirements.txt
RUN venv="${VIRTUAL_ENV:-$VENV_DIR}" && PATH="${venv:+$venv/bin:}$PATH" \
    PIP_BREAK_SYSTEM_PACKAGES=1 PIP_ROOT_USER_ACTION=ignore \
    python3 -m pip install --no-cache-dir --disable-pip-version-check --requirement /tmp/requirements.txt

# The packages are there already: no environment of their own is made.
ENV BOWLINE_PYTHON_PACKAGES=installed
WORKDIR /workspace
ENTRYPOINT ["/usr/local/bin/bowline"]
CMD ["test"]
