#!/bin/sh
# Redeems a challenge code with curl 7.75 or newer. Credentials come from the environment: an access key, or a bearer token.
# curl repeats the call by itself after 429, 504 and a timeout, but not after a connection that breaks. The key makes a
# repeat get the reply that was lost.
set -eu
endpoint=$1 app=$2 session=$3 code=$4
key=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')

# Credentials and code on standard input: other users of the machine can read a command line.
{
    if [ -n "${COUNTERSIGN_TOKEN:-}" ]; then
        printf 'header = "Authorization: Bearer %s"\n' "$COUNTERSIGN_TOKEN"
    else
        printf 'aws-sigv4 = "aws:amz:us-east-1:amplifybackend"\nuser = "%s:%s"\n' "$AWS_ACCESS_KEY_ID" "$AWS_SECRET_ACCESS_KEY"
    fi
    printf 'data = "{\\"challengeCode\\":\\"%s\\"}"\n' "$code"
} | curl --silent --fail --show-error --max-time 5 --retry 3 --config - \
    --header 'Content-Type: application/json' --header "Idempotency-Key: $key" \
    "$endpoint/backend/$app/challenge/$session/redeem"
