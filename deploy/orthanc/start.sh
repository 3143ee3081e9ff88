#!/bin/sh
# Starts Orthanc with the password that the gateway has: orthanc.json names the variable.
set -eu
ORTHANC_PASSWORD=$(cat /run/secrets/dicomweb_password)
[ -n "$ORTHANC_PASSWORD" ] || { echo "secrets/dicomweb_password is empty: openssl rand -hex 16 makes one" >&2; exit 1; }
export ORTHANC_PASSWORD
exec Orthanc /opt/deepfeatures/orthanc.json
