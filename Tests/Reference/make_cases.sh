#!/bin/sh
# Makes the cases anew; needs python3 with torch, numpy and safetensors (PYTHON names another interpreter).
set -eu
cd "$(dirname "$0")"
make() { name=$1; shift; "${PYTHON:-python3}" sprint_reference.py case --out "cases/$name.safetensors" "$@"; }
haste() { name=$1; shift; "${PYTHON:-python3}" haste_reference.py case --out "cases-haste/$name.safetensors" "$@"; }
srdit() {
  name=$1
  shift
  "${PYTHON:-python3}" srdit_reference.py case --double --out "cases-srdit/$name.safetensors" "$@"
}
make structured-half --width 24 --heads 2 --side 12 --channels 3 --ratio 0.5 --seed 1
make structured-five-eighths --width 24 --heads 1 --side 8 --patch 1 --channels 1 --ratio 0.625 --seed 2
make structured-seven-eighths --width 32 --heads 2 --side 16 --ratio 0.875 --seed 3 --batch 5
make dense-patch-4 --width 24 --heads 3 --side 16 --patch 4 --channels 5 --ratio 0 --seed 4
make random-third --width 32 --heads 4 --depth 2,1,1 --ratio 0.34 --mask random --seed 5 --path-drop 0.6
make head-72 --width 72 --heads 1 --depth 1,1,1 --seed 6 --classes 3
make align-encoder --width 24 --heads 2 --projector 20 --feature-width 12 --align-after 1 --weight-decay 0.1 --seed 7
make align-middle --width 24 --heads 2 --projector 20 --feature-width 12 --align-after 2 --seed 8 --batch 6
make learned-mask-no-fusion --width 24 --heads 2 --fusion none --learn-mask-token --seed 9
make learned-mask --width 24 --heads 2 --learn-mask-token --seed 10 --path-drop 0.5 --low 0.3 --high 0.8 --scale 1.7
make no-encoder --width 24 --heads 2 --depth 0,2,1 --seed 11
make no-classes --width 16 --heads 2 --depth 1,1,1 --side 8 --channels 1 --classes 0 --seed 12
haste dense --ratio 0 --attention-blocks 1,2 --projector 16 --feature-width 6 --align-after 2 --seed 21 \
  --teacher-heads 5
haste structured --ratio 0.75 --attention-blocks 1,2 --projector 20 --feature-width 12 --align-after 3 --seed 22 \
  --weight-decay 0.1 --stop 2 --angle-block 1
haste mixed --heads 3 --ratio 0.5 --depth 2,2,1 --attention-blocks 2,0 --projector 16 --feature-width 6 \
  --align-after 1 --teacher-heads 2 --half-maps --seed 23
haste queries-keys --depth 1,3,1 --attention-blocks 3,0,4 --teacher-source qk --path-drop 0.6 --angle-block 2 --seed 24
haste random-alone --width 32 --heads 4 --ratio 0.3 --mask random --attention-blocks 2 --fusion none --seed 25 --stop 1
srdit base --width 24 --heads 2 --encoder 1 --decoder 1 --seed 31
srdit patch-2 --width 16 --heads 2 --side 12 --patch 2 --channels 3 --shift-base 64 --weight-decay 0.1 --clip 0.1 \
  --seed 32
srdit small-head --width 12 --heads 1 --small 0.01 --ratio 0 --shift-base 0 --projector 10 --feature-width 20 --seed 33
srdit dropped --width 16 --heads 2 --encoder 2 --middle 1 --steps 4 --drop-steps 0,2 --ratio 0.6 --token-scale 0 \
  --low 0.2 --high 0.7 --batch 4 --seed 34
