#!/usr/bin/env bash
# Makes COUNT (default 1000) JPEGs of 512x384, quality 90, 4:2:0, out of photographs in Debian packages: crops of 4:3 at
# pseudo-random places and scales (fixed seed), so the same packages give the same files.
#
#   apt-get install imagemagick plasma-workspace-wallpapers mate-backgrounds lomiri-wallpapers-16.04 lomiri-wallpapers-20.04
#   bench/make-images.sh FOLDER [COUNT]
#
# The folder should lie outside the repository: 1,000 images are about 60 MB. ImageMagick takes a few minutes.
set -euo pipefail

folder=${1:?usage: bench/make-images.sh FOLDER [COUNT]}
count=${2:-1000}
export MAGICK_THREAD_LIMIT=1 # the same bytes whatever the number of cores

plasma=/usr/share/wallpapers
mate=/usr/share/backgrounds/mate/nature
lomiri=/usr/share/backgrounds
sources=(
  "$plasma"/{BytheWater,ColdRipple,ColorfulCups,EveningGlow,FallenLeaf,Grey,Kite,OneStandsOut,Path}/contents/images/2560x1600.jpg
  "$mate"/{Blinds,Dune,Garden,GreenMeadow,LadyBird,RainDrops,Storm,TwoWings,YellowFlower}.jpg
  "$lomiri"/{Bridge_by_Sander_Klootwijk,Dragonfly_by_Bolly,Kleiber_by_Lukas_Baubkus,Picture_0B_by_freespace}.jpg
  "$lomiri"/{Picture_1A_by_freespace,Wine_by_Jakkub_Mede,aitzgorri_by_Aitzol_Berasategi,friends_by_Aitzol_Berasategi}.jpg
  "$lomiri"/{greentock_by_Peter_Nerlich,life_by_Aitzol_Berasategi,picosdeeuropa_by_Aitzol_Berasategi}.jpg
  "$lomiri"/{seeding_by_Clements_Engelhardt,sunset_by_Aitzol_Berasategi}.jpg
)
for source in "${sources[@]}"; do
  [[ -r $source ]] || { echo "make-images: expected $source; install the packages named at the top of $0" >&2; exit 1; }
done

# Numerical Recipes' linear congruential generator; its high bits choose the crops.
state=20240229
pick() { # pick N: sets picked to a number in 0..N-1
  state=$(((state * 1664525 + 1013904223) & 0xffffffff))
  picked=$(((state >> 8) * $1 >> 24))
}

mkdir -p "$folder"
for s in "${!sources[@]}"; do
  source=${sources[s]}
  read -r width height < <(identify -quiet -format '%w %h\n' "$source")
  widest=$((width * 3 <= height * 4 ? width : height * 4 / 3))
  crops=()
  for ((i = s; i < count; i += ${#sources[@]})); do
    pick $((widest - 512 + 1)); w=$((512 + picked)); h=$((w * 3 / 4))
    pick $((width - w + 1)); x=$picked
    pick $((height - h + 1)); y=$picked
    crops+=('(' mpr:source -crop "${w}x$h+$x+$y" +repage -resize '512x384!' -write "$folder/$(printf '%04d' "$i").jpg" +delete ')')
  done
  ((${#crops[@]} == 0)) || # fewer images than sources were asked for
    convert -quiet "$source" -strip -colorspace sRGB -type TrueColor -write mpr:source -quality 90 -sampling-factor 4:2:0 "${crops[@]}" null:
done
echo "$count images in $folder" >&2
