#!/bin/sh
# Installs packages, builds sprint, trains on the bundled digits through both stages, draws samples.png and compares
# samples with held-out digits. All files stay in the checkout.
set -eu
cd "$(dirname "$0")/.."

./launch/install.sh
swift build -c release --product sprint
sprint="$(swift build -c release --show-bin-path)/sprint"

"$sprint" train --config configs/digits.yaml --run runs/digits --resume auto
"$sprint" sample --run runs/digits --count 160 --guidance pdg --scale 1.5 --out samples.png
"$sprint" sample --run runs/digits --count 1000 --guidance pdg --scale 1.5 --out samples.h5
"$sprint" evaluate samples.h5 --reference configs/data/digits-holdout.h5 --network pixels
echo "look at $(pwd)/samples.png; the run is in $(pwd)/runs/digits"
