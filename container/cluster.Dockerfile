# The image of every node of a Ray cluster. From the root of the repository:
#   docker build --file container/cluster.Dockerfile --tag darkroom-cluster:1 .
# It holds the locked packages and no code of the project: that lies in the workspace, on the volume that all nodes share.
FROM python:3.12-slim

# git and make are for the pod in which `dvc repro` runs, wget for the health checks of older operators
RUN apt-get update && apt-get install --yes --no-install-recommends git make wget && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --user-group --create-home --shell /bin/bash darkroom \
    && install --directory --owner=10001 --group=10001 /workspace
COPY requirements.txt requirements-ray.txt /srv/
RUN python -m pip install --quiet --no-cache-dir --no-deps --require-hashes \
    --requirement /srv/requirements.txt --requirement /srv/requirements-ray.txt

# the commands of the docs, from the code in the workspace
RUN printf '%s\n' '#!/bin/sh' 'export PYTHONPATH=/workspace/darkroom/src' \
    'exec python -c "from darkroom.cli.main import main; main()" "$@"' > /usr/local/bin/darkroom \
    && chmod 755 /usr/local/bin/darkroom

# Ray reports its use to its makers otherwise
ENV RAY_USAGE_STATS_ENABLED=0
USER 10001:10001
WORKDIR /workspace
