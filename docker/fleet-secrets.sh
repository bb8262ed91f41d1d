#!/bin/sh
# Prints what compose.fleet.yaml wants in .env: a secret for each, and of the PBXs' tokens the hashes that the gateways keep.
set -eu
for name in MES_AMI_SECRET MES_HTTP_TOKEN CLICKHOUSE_PASSWORD GRAFANA_CLICKHOUSE_PASSWORD; do
  printf '%s=%s\n' "$name" "$(openssl rand -hex 20)"
done
for number in 1 2 3; do
  token=$(openssl rand -hex 20)
  hash=$(printf %s "$token" | openssl dgst -sha256 -r | cut -d' ' -f1)
  printf 'MES_FLEET_TOKEN_%s=%s\nMES_FLEET_SHA256_%s=%s\n' "$number" "$token" "$number" "$hash"
done
