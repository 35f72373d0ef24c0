#!/usr/bin/env bash
# Makes everything that is published, and says how large it is:
#   packages/   Pristine, Pristine.Cloud, Pristine.Experiments, Pristine.PaddleMix and the dotnet tool Pristine.Cli (one package per platform and one that points to them)
#   archives/   the command with .NET inside, for machines without it
# usage: build/pack.sh [OUT [PLATFORM...]]     default: out/release, all platforms
# VERSION=1.2.3 gives another version than the project's. Every platform's files can be made on any of them. The archive for the platform
# that this runs on is compiled to one native program (NativeAOT), which needs a linker and zlib: on Debian clang, or gcc, and zlib1g-dev;
# Xcode's tools on macOS; Visual C++ on Windows. The others, and with AOT=no all, hold .NET and code compiled ahead for it (ReadyToRun).
set -euo pipefail
cd "$(dirname "$0")/.."
out=$(realpath -m "${1:-out/release}")
platforms=("${@:2}")
[ ${#platforms[@]} -gt 0 ] || platforms=(linux-x64 linux-arm64 osx-arm64 win-x64)
case $(uname -sm) in
  'Linux x86_64') here=linux-x64 ;;
  'Linux aarch64') here=linux-arm64 ;;
  'Darwin arm64') here=osx-arm64 ;;
  MINGW*x86_64 | MSYS*x86_64) here=win-x64 ;;
  *) here= ;;
esac
[ "${AOT:-yes}" = yes ] || here=
if [[ $here == linux-* && " ${platforms[*]} " == *" $here "* ]]; then
  command -v clang > /dev/null || command -v gcc > /dev/null || { echo "pack: expected clang or gcc to link with; install one (Debian: apt-get install clang zlib1g-dev), or set AOT=no" >&2; exit 1; }
  [ -e /usr/include/zlib.h ] || { echo "pack: expected zlib's headers; install them (Debian: apt-get install zlib1g-dev), or set AOT=no" >&2; exit 1; }
fi
rm -rf "$out/packages" "$out/archives" "$out/work"
mkdir -p "$out/packages" "$out/archives"
# Files of their own, so that neither a build beside this one nor its remains get into a package.
common=(-c Release -v quiet -clp:ErrorsOnly --artifacts-path "$out/work" ${VERSION:+-p:Version=$VERSION})

for project in Pristine Pristine.Cloud Pristine.Experiments Pristine.PaddleMix; do
  dotnet pack "src/$project" "${common[@]}" -o "$out/packages"
done
# From the environment: on the command line a semicolon would end the property.
PackPlatforms=$(IFS=';'; echo "${platforms[*]}") dotnet pack src/Pristine.Cli "${common[@]}" -o "$out/packages"

version=$(basename "$(ls "$out"/packages/Pristine.Cli.[0-9]*.nupkg)" .nupkg)
version=${version#Pristine.Cli.}
for platform in "${platforms[@]}"; do
  name="pristine-$version-$platform"
  if [ "$platform" = "$here" ]; then kind=NativeAOT compiled=(-p:PublishAot=true -p:PackAsTool=false); else kind=ReadyToRun compiled=(--self-contained); fi
  dotnet publish src/Pristine.Cli "${common[@]}" -r "$platform" "${compiled[@]}" -p:DebugType=none -o "$out/work/$name"
  cp LICENSE README.md "$out/work/$name/"
  case $platform in
    win-*) (cd "$out/work" && python3 -m zipfile -c "$out/archives/$name.zip" "$name") ;;
    *) tar -C "$out/work" --sort=name --owner=0 --group=0 --numeric-owner -czf "$out/archives/$name.tar.gz" "$name" ;;
  esac
  printf '%s: %s, %d MB unpacked\n' "$name" $kind "$(du -sm --apparent-size "$out/work/$name" | cut -f1)"
done
rm -rf "$out/work"
(cd "$out" && ls -l packages archives | awk 'NF >= 9 { printf "%8.1f MB  %s\n", $5 / 1e6, $NF }')
