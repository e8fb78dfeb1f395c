#!/bin/sh
# Installs packages, builds sprint, trains on the bundled digits through both stages and draws samples.png. All files
# stay in the checkout.
set -eu
cd "$(dirname "$0")/.."

./launch/install.sh
swift build -c release --product sprint
sprint="$(swift build -c release --show-bin-path)/sprint"

"$sprint" train --config configs/digits.yaml --run runs/digits --resume auto
"$sprint" sample --run runs/digits --count 160 --guidance pdg --scale 1.5 --out samples.png
echo "look at $(pwd)/samples.png; the run is in $(pwd)/runs/digits"
