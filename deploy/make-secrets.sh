#!/bin/sh
# Makes the secrets that compose.yaml gives to its services: a file each, in the folder secrets/ or the one
# that is named. What is there already is kept. Containers run as account 1000, which has to read them.
set -eu
folder=${1:-secrets}
mkdir -p "$folder"
umask 077

keep() { # NAME: the content comes on standard input
  if [ -e "$folder/$1" ]; then cat >/dev/null; else cat >"$folder/$1"; fi
}

for name in audit_key engine_key scanner_key client_secret metrics_token; do
  openssl rand -hex 32 | keep "$name"
done
openssl rand -hex 8 | keep demo_password
openssl rand -hex 16 | keep grafana_password
# A Fernet key: 32 bytes in the base64 of URLs.
openssl rand -base64 32 | tr '+/' '-_' | keep jobs_key
echo 'sqlite:////var/lib/deepfeatures/jobs.sqlite' | keep jobs_database
# Empty for none.
: | keep dicomweb_password
: | keep dicomweb_token

# Prometheus and Grafana are other accounts, which compose.yaml puts into group 1000.
chmod 640 "$folder/metrics_token" "$folder/grafana_password"

if [ "$(id -u)" = 0 ]; then
  chown -R 1000:1000 "$folder"
elif [ "$(id -u)" != 1000 ]; then
  echo "run this as root, or the containers cannot read $folder" >&2
  exit 1
fi
