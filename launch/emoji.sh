#!/bin/sh
# From a folder of images to images: makes pictures of Debian's emoji, imports them, trains both stages, draws emoji.png
# and evaluates. Takes about an hour of one core; the same command goes on after an interruption. All files stay
# in the checkout.
set -eu
cd "$(dirname "$0")/.."

./launch/install.sh fonts-noto-color-emoji unicode-data python3-pil
swift build -c release --product sprint
sprint="$(swift build -c release --show-bin-path)/sprint"

[ -d data/emoji ] || {
  rm -rf data/emoji.partial
  # Debian's own Python, for which python3-pil is.
  /usr/bin/python3 configs/data/make_emoji.py data/emoji.partial
  mv data/emoji.partial data/emoji
}
[ -f data/emoji.h5 ] || "$sprint" import --from images data/emoji data/emoji.h5 --side 32
"$sprint" train --config configs/emoji.yaml --run runs/emoji --resume auto
"$sprint" sample --run runs/emoji --count 144 --guidance pdg --scale 1.5 --out emoji.png
"$sprint" sample --run runs/emoji --count 1870 --out runs/emoji/samples.h5
"$sprint" evaluate runs/emoji/samples.h5 --reference data/emoji.h5 --network pixels
echo "look at $(pwd)/emoji.png; the run is in $(pwd)/runs/emoji"
