#!/usr/bin/env python3
"""Makes the pictures of the documentation again, from the samples: parts of the report, and the review page.

    docs/pictures/make.py

PRISTINE is the command, default 'pristine'; several words are allowed. Needs Chromium and Pillow with WebP (Debian: chromium, python3-pil)."""
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import tempfile
import urllib.parse
import urllib.request

from PIL import Image, ImageChops

here = pathlib.Path(__file__).resolve().parent
photos = here.parent.parent / "samples" / "photos"
pristine = shlex.split(os.environ.get("PRISTINE", "pristine"))
chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
# A short name: the review page shows it.
work = pathlib.Path(tempfile.gettempdir()) / "pristine"
work.mkdir()


def run(*arguments: str) -> None:
    subprocess.run([*pristine, *arguments], cwd=work, check=True, stderr=subprocess.DEVNULL, env={**os.environ, "PRISTINE_MODELS": str(work / "none")})


def picture(address: str, name: str, height: int) -> None:
    shot = work / "shot.png"
    subprocess.run(
        [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--force-color-profile=srgb", "--virtual-time-budget=20000",
         f"--window-size=1200,{height}", f"--screenshot={shot}", address], check=True, stderr=subprocess.DEVNULL)
    image = Image.open(shot).convert("RGB")
    # Without the empty rest below the page.
    corner = Image.new("RGB", image.size, image.getpixel((0, image.height - 1)))
    left, top, right, bottom = ImageChops.difference(image, corner).getbbox()
    image.crop((0, 0, image.width, min(image.height, bottom + 24))).save(here / name, quality=72, method=6)
    print(f"{name}: {os.path.getsize(here / name) // 1024} KiB")


def part(page: str, *ids: str) -> str:
    """A copy of the report that shows some of its sections; its policy, which forbids other styles, is left out."""
    text = re.sub(r"<meta http-equiv=\"Content-Security-Policy\"[^>]*>", "", (work / "report.html").read_text(encoding="utf-8"))
    shown = ", ".join(f"#{name}" for name in ids)
    style = f"<style>header, footer, nav, section:not({shown}) {{ display: none !important }}</style>"
    (work / page).write_text(text.replace("</head>", style + "</head>"), encoding="utf-8")
    return (work / page).as_uri()


shutil.copytree(photos, work / "photos")
run("check", "photos", "--scores", "scores", "--format", "html", "--out", "report.html")
rule = urllib.parse.urlencode({"show": "brisque max 54"})
picture(part("check.html", "issues"), "check.webp", 900)
picture(part("threshold.html", "threshold", "gallery") + "#" + rule, "report.webp", 1500)

server = subprocess.Popen([*pristine, "serve", "scores", "--port", "0"], cwd=work, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
try:
    address = server.stdout.readline().strip()

    def ask(path: str, body: dict) -> dict:
        request = urllib.request.Request(urllib.parse.urljoin(address, path), json.dumps(body).encode(), {"Content-Type": "application/json"})
        return json.load(urllib.request.urlopen(request))

    rules = ["brisque <= 54", "luma_p95 >= 0.2"]
    dropped = ask("/items", {"keep": rules, "show": "dropped", "size": 50})["items"]
    by_hand = next(item for item in dropped if item["id"].startswith("dandelion"))
    ask("/overrides", {"index": by_hand["index"], "id": by_hand["id"], "keep": True})
    state = {"rules": rules, "show": "dropped", "order": "", "descending": False, "index": dropped[0]["index"]}
    picture(urllib.parse.urljoin(address, "/") + "#" + urllib.parse.quote(json.dumps(state)), "review.webp", 1300)
finally:
    server.terminate()
    server.wait()
shutil.rmtree(work)
