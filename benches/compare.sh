#!/usr/bin/env bash
# Alternates our training benchmark with PyTorch's, so that both see the same state of the machine.
#   benches/compare.sh [TIMES]       PYTHON names a Python with PyTorch (default python3)
set -euo pipefail
cd "$(dirname "$0")/.."
bench=$(cargo bench --bench training --no-run 2>&1 | sed -n 's/.*Executable .*(\(.*\))$/\1/p')
for _ in $(seq "${1:-3}"); do
  for case in small resnet18; do
    "$bench" "$case" | tail -n 1
    "${PYTHON:-python3}" benches/training_torch.py "$case"
  done
done
