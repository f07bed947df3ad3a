#!/usr/bin/env bash
# Pin requirements.in and requirements-dev.in, for every system and Python from 3.11, with the registry's own hashes.
# Local folders of wheels are left out: their files may have other hashes. Nothing about this machine reaches the files.
set -euo pipefail
cd "$(dirname "$0")/.."
for name in requirements requirements-dev; do
	env -u PIP_FIND_LINKS -u UV_FIND_LINKS -u UV_INDEX -u UV_EXTRA_INDEX_URL \
		.venv/bin/uv pip compile --quiet --no-config --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-emit-find-links --no-header "$@" --output-file "$name.txt" "$name.in" >/dev/null
done
git --no-pager diff --stat -- requirements.txt requirements-dev.txt
