#!/usr/bin/env bash
# Rebuilds photos/ and ATTRIBUTION.md from photographs in Debian packages; every run gives the same bytes.
#
#   apt-get install imagemagick lomiri-wallpapers-16.04 lomiri-wallpapers-20.04 mate-backgrounds plasma-workspace-wallpapers
#   samples/make.sh
#
# originals.txt names the originals; PACKAGES_ROOT (default /) is where their packages are unpacked, if not installed.
set -euo pipefail
cd "$(dirname "$0")"
export LC_ALL=C.UTF-8 MAGICK_THREAD_LIMIT=1 # noise is drawn in the order of the pixels only on one thread
root=${PACKAGES_ROOT:-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

link() { # link LICENCE: its text
  case $1 in
    CC0-1.0) echo https://creativecommons.org/publicdomain/zero/1.0/ ;;
    CC-BY-4.0) echo https://creativecommons.org/licenses/by/4.0/ ;;
    CC-BY-SA-3.0) echo https://creativecommons.org/licenses/by-sa/3.0/ ;;
    CC-BY-SA-4.0) echo https://creativecommons.org/licenses/by-sa/4.0/ ;;
    GPL-2.0-or-later) echo https://www.gnu.org/licenses/old-licenses/gpl-2.0.html ;;
    *) echo "make.sh: no link for the licence '$1'" >&2; return 1 ;;
  esac
}

write() { # write FROM TO [OPERATION...]: a stripped JPEG, 4:2:0, quality 90 unless an operation says otherwise
  local from=$1 to=$2
  shift 2
  convert -quiet "$from" -quality 90 "$@" -strip -sampling-factor 4:2:0 "$to"
}

degrade() { # degrade PHOTO WHAT OPERATION...: photos/PHOTO-WHAT.jpg
  write "$work/$1.ppm" "$work/photos/$1-$2.jpg" "${@:3}"
  made[$1]+=", $1-$2.jpg"
}

orient() { # orient FILE: stores the pixels turned left, with an EXIF orientation of 6 (turn right to see)
  local upright=$1
  convert -quiet "$upright" -rotate 270 -strip "$work/turned.ppm"
  write "$work/turned.ppm" "$work/turned.jpg"
  { # SOI, an APP1 segment with one big-endian TIFF directory of one entry (0x0112, SHORT, 1, 6), and the rest of the JPEG
    printf '\xff\xd8\xff\xe1\0\x22Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0'
    tail -c +3 "$work/turned.jpg"
  } >"$2"
}

records() { grep -v '^#' originals.txt | sed 's/ | /\t/g'; }

mkdir "$work/photos"
declare -A made
while IFS=$'\t' read -r file _ _ _ package path sha256; do
  [[ -r $root$path ]] || { echo "make.sh: expected $root$path; install ${package% *} (Debian)" >&2; exit 1; }
  found=$(sha256sum <"$root$path" | cut -d' ' -f1)
  [[ $found == "$sha256" ]] || { echo "make.sh: expected SHA-256 $sha256 for $root$path ($package); found $found" >&2; exit 1; }
  name=${file%.jpg}
  made[$name]=$file
  convert -quiet "$root$path" -auto-orient -colorspace sRGB -type TrueColor -depth 8 -resize 768x768 -strip "$work/$name.ppm"
  write "$work/$name.ppm" "$work/photos/$file"
done < <(records)
orient "$work/spaniels.ppm" "$work/photos/spaniels.jpg"

degrade mountains blur -gaussian-blur 0x3
degrade spaniels blur -gaussian-blur 0x5
degrade moss blur -gaussian-blur 0x2
degrade boats noise -seed 11 -attenuate 1.5 +noise Gaussian
degrade fig noise -seed 12 -attenuate 2.5 +noise Gaussian
degrade dandelion jpeg10 -quality 10
degrade cups jpeg10 -quality 10
degrade paintbrushes jpeg10 -quality 10
degrade meadow dark -evaluate multiply 0.12
degrade raindrops dark -evaluate multiply 0.08
degrade drum lowres -resize 96x96 -filter triangle -resize 768x768
degrade nuthatch lowres -resize 80x80 -filter triangle -resize 768x768

head -c 30000 "$work/photos/stream.jpg" >"$work/photos/corrupt.jpg" # cut off in the middle of the pixels
made[stream]+=', corrupt.jpg (cut off)'

{
  cat <<'TEXT'
# Photographs in `photos/`

All are adaptations: turned upright, scaled down to at most 768 pixels a side, saved as JPEG without metadata (`spaniels.jpg`
turned once more, with an EXIF orientation). Names with `-blur`, `-noise`, `-jpeg10`, `-dark` and `-lowres` are damaged on purpose,
and `corrupt.jpg` is cut off; `make.sh` says exactly how. Each file stays under the licence of its original, not under the licence
of Pristine's code; the adaptations of CC-BY-SA and GPL works are offered under the same terms. The licence is what the Debian
package's copyright file says; the wallpapers of plasma-workspace-wallpapers also carry "LGPLv3" in their own `metadata.json`.
This file is written by `make.sh` out of `originals.txt`.

| Files | Title | Author | Licence | Debian package | Original | SHA-256 of the original |
|---|---|---|---|---|---|---|
TEXT
  while IFS=$'\t' read -r file title author licence package path sha256; do
    echo "| ${made[${file%.jpg}]} | $title | $author | [$licence]($(link "$licence")) | $package | \`$path\` | \`$sha256\` |"
  done < <(records)
} >"$work/attribution.md"
rm -rf photos # only now: a failed run leaves the folder as it was
mv "$work/photos" photos
mv "$work/attribution.md" ATTRIBUTION.md
echo "$(find photos -type f | wc -l) files, $(du -sk --apparent-size photos | cut -f1) KiB in photos/" >&2
