#!/bin/sh
# Makes the namespace and the search attributes that API and worker wait for; a second run changes nothing.
set -eu

namespace=${TEMPORAL_NAMESPACE:-default}
temporal operator namespace describe --namespace "$namespace" >/dev/null 2>&1 ||
  temporal operator namespace create --namespace "$namespace" --retention "${RETENTION:-72h}"

# The server answers for a new namespace a moment after it was made.
until present=$(temporal operator search-attribute list --namespace "$namespace"); do sleep 1; done
for name in DocumentStatus TenantId ParseJobId FailureKind; do
  echo "$present" | grep -qw "$name" ||
    temporal operator search-attribute create --namespace "$namespace" --name "$name" --type Keyword
done
