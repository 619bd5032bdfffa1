#!/bin/sh
# Lets an image in only when what it ships follows from its evidence, and, where COSIGN_KEY names a public key, when
# whoever has the private one has attested the result of the tests. Exits with 0 when it may run.
#
#   sh admit.sh registry.example.com/data/agent@sha256:…
set -eu
image=${1:?name an image}

"${BOWLINE:-bowline}" verify "$image"

if [ -n "${COSIGN_KEY:-}" ]; then
    cosign verify-attestation --key "$COSIGN_KEY" \
        --type https://in-toto.io/attestation/test-result/v0.1 "$image" >/dev/null
fi
echo "$image may run"
