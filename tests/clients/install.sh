#!/usr/bin/env bash
# Installs what `make clients` tests with: npm packages, Node 22 among them, and mcp 1.28 in an environment of its own.
# Where no npm is, or no registry answers, it says so and their tests are skipped. Any other failure is a failure.
set -euo pipefail
cd "$(dirname "$0")"

UNREACHABLE='ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT|connection broken by'

install() { # NAME FOLDER LOCK COMMAND...
  local name=$1 folder=$2 lock=$3 said
  shift 3
  [ "$folder/.installed" -nt "$lock" ] && return
  if said=$("$@" 2>&1); then
    touch "$folder/.installed"
    return
  fi
  rm -rf "$folder"
  if grep -Eq "$UNREACHABLE" <<<"$said"; then
    echo "notice: $name cannot be had here, no registry answers; the tests that need it are skipped" >&2
    return
  fi
  echo "$said" >&2
  exit 1
}

environment() {
  ../../.venv/bin/python -m venv --clear .venv
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --retries 1 --require-hashes -r ../../requirements/clients.txt
}

if command -v npm >/dev/null; then
  # No script of a package runs: Node comes as a package that only holds the program.
  install "npm packages" node_modules package-lock.json \
    npm ci --ignore-scripts --no-audit --no-fund --fetch-retries=1 --fetch-retry-mintimeout=1000
else
  echo "notice: there is no npm here; the tests that need Node are skipped" >&2
fi
install "mcp 1.28" .venv ../../requirements/clients.txt environment
