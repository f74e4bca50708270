#!/usr/bin/env bash
# Kills `tuneout run demo` (-9) at random moments, five times in a row on its way, and lets it end: numbers and log must be
# those of an undisturbed run. Four such chains make twenty kills.
#   benches/kill.sh [CHAINS]
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
good=0
for chain in $(seq "${1:-4}"); do
  runs="$work/$chain"
  for kill in 1 2 3 4 5; do
    "$tuneout" run demo --device cpu --json --runs-dir "$runs" >/dev/null 2>&1 &
    pause=$(python3 -c 'import random,sys; print(f"{random.uniform(0.1, 0.4 * float(sys.argv[1])):.2f}")' "$span")
    sleep "$pause"
    kill -9 $! 2>/dev/null && echo "chain $chain: killed after $pause s" || echo "chain $chain: was done before $pause s"
    wait $! 2>/dev/null || true
  done
  "$tuneout" run demo --device cpu --json --runs-dir "$runs" 2>/dev/null >"$work/again.json"
  if [[ "$(numbers <"$work/again.json") $(lines "$runs")" == "$expected" ]]; then good=$((good + 1)); echo "chain $chain: the same end"; else echo "chain $chain: ANOTHER END"; fi
  rm -rf "$runs"
done
echo "$good of ${1:-4} chains ended in the same numbers and the same log"
[[ $good == "${1:-4}" ]]
