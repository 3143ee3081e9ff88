#!/bin/bash
# Starts Keycloak for trying: placeholders of realm.json come from secrets and from compose.yaml.
set -eu
DEEPFEATURES_CLIENT_SECRET=$(</run/secrets/client_secret)
DEEPFEATURES_DEMO_PASSWORD=$(</run/secrets/demo_password)
KC_BOOTSTRAP_ADMIN_USERNAME=admin
KC_BOOTSTRAP_ADMIN_PASSWORD=$DEEPFEATURES_DEMO_PASSWORD
export DEEPFEATURES_CLIENT_SECRET DEEPFEATURES_DEMO_PASSWORD KC_BOOTSTRAP_ADMIN_USERNAME KC_BOOTSTRAP_ADMIN_PASSWORD
exec /opt/keycloak/bin/kc.sh start-dev --import-realm
