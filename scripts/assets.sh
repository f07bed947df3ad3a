#!/bin/sh
# Rebuild crm/static/dist from crm/static/{css,js,img}. Development time only: the result is committed.
set -eu
cd "$(dirname "$0")/.."
if [ ! -x node_modules/.bin/esbuild ]; then
    npm ci --no-audit --no-fund
fi
exec node scripts/assets.mjs
