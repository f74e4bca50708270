#!/usr/bin/env bash
# Kills `tuneout run demo` (-9) at random moments, KILLS times on its way, each time letting it go on; numbers and log at the
# end must be those of an undisturbed run.
#   benches/kill.sh [KILLS]
set -euo pipefail
cd "$(dirname "$0")/.."
tuneout=${CARGO_TARGET_DIR:-target}/release/tuneout
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
numbers() { python3 -c 'import json,sys; d=json.load(sys.stdin); print(d["id"], d["attack"]["ca"], d["attack"]["asr"], [(e["ca"], e["asr"], e["ra"], e["lr"]) for e in d["epochs"]])'; }
lines() { cat "$1"/*/events.jsonl | python3 -c 'import json,sys,hashlib
h=hashlib.sha256()
for l in sys.stdin:
    e=json.loads(l); e.pop("clock"); h.update(json.dumps(e,sort_keys=True).encode())
print(h.hexdigest())'; }
"$tuneout" run demo --device cpu --json --runs-dir "$work/whole" 2>/dev/null >"$work/whole.json"
expected="$(numbers <"$work/whole.json") $(lines "$work/whole")"
span=$(python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))["train_seconds"])' "$work/whole.json")
runs="$work/killed"
for kill in $(seq "${1:-20}"); do
  "$tuneout" run demo --device cpu --json --runs-dir "$runs" >/dev/null 2>&1 &
  pause=$(python3 -c 'import random,sys; print(f"{random.uniform(0.1, 0.16 * float(sys.argv[1])):.2f}")' "$span")
  sleep "$pause"
  if kill -9 $! 2>/dev/null; then echo "kill $kill after $pause s"; else echo "kill $kill: the run was done before $pause s"; fi
  wait $! 2>/dev/null || true
done
"$tuneout" run demo --device cpu --json --runs-dir "$runs" 2>/dev/null >"$work/again.json"
if [[ "$(numbers <"$work/again.json") $(lines "$runs")" == "$expected" ]]; then
  echo "the same numbers and the same log"
else
  echo "ANOTHER END"
  exit 1
fi
