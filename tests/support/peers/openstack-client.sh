#!/usr/bin/env bash
# The real client, python-openstackclient, from PyPI.
#
#   openstack-client.sh install  prints the path of the program
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
venv=$PEERS_HOME/openstack-client
packages python3-venv
environment "$venv" python-openstackclient
echo "$venv/bin/openstack"
