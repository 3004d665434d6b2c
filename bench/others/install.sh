#!/usr/bin/env bash
# Installs the other MCP servers for Kubernetes that the cold start is compared with. Those that cannot be had here are
# left out of the table.
set -uo pipefail
cd "$(dirname "$0")"
[ node_modules -nt package.json ] || npm install --ignore-scripts --no-audit --no-fund --no-package-lock --fetch-retries=1 >/dev/null 2>&1 ||
  echo "notice: the npm packages cannot be had here" >&2
[ -x .venv/bin/kubectl-mcp ] || {
  ../../.venv/bin/python -m venv --clear .venv
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --retries 1 kubectl-mcp-server==2.0.0 >/dev/null 2>&1 ||
    echo "notice: kubectl-mcp-server cannot be had here" >&2
}
exit 0
