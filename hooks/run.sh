#!/bin/sh
# Runs coord-hook from the PATH. Where a program of coord is missing, a session
# says so once, at its start, and goes on as if coord were not there.
missing=
for program in coord-hook coord-shim coord-hub; do
  command -v "$program" >/dev/null 2>&1 || missing="$missing $program"
  [ "$1" = session-start ] || break
done
if [ "$1" = session-start ] && [ -n "$missing" ]; then
  printf '{"systemMessage":"coord: not on the PATH:%s. This session is not coordinated. Install coord (make install) or remove the plugin (claude plugin uninstall coord@coord)."}\n' "$missing"
  exit 0
fi
[ -z "$missing" ] || exit 0
exec coord-hook "$@"
