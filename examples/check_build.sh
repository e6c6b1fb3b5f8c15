#!/bin/sh
# Usage: check_build.sh TRACE_ID...
# Ends with 1 where something is wrong in a trace that the build recorded.
set -u
status=0
for trace in "$@"; do
  echo "Trace $trace"
  opik-assist check-trace "$trace" --min-confidence 0.5 || status=1
done
exit $status
