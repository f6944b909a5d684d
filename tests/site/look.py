"""Pictures of the built site, to look at: `python -m tests.site.look foundations/softmax/` writes build/look/*.png.

Each page is taken light and dark at 1280 pixels, and light at 390, in parts of 1500 pixels from the top.
"""

import os
import sys

from playwright.sync_api import sync_playwright

from sitebuild import ROOT
from tests.site.server import CHROMIUM, FLAGS, serve

VIEWS = [("light", 1280), ("dark", 1280), ("light", 390)]


def main(pages):
    folder = ROOT / "build" / "look"
    folder.mkdir(parents=True, exist_ok=True)
    with serve(os.environ.get("LOOK_SITE", ROOT / "site")) as address, sync_playwright() as p:
        browser = p.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for page in pages:
            for scheme, width in VIEWS:
                tab = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
                tab.goto(f"{address}{page}", wait_until="networkidle")
                name = f"{page.strip('/').replace('/', '-') or 'home'}-{scheme}-{width}.png"
                height = tab.evaluate("document.documentElement.scrollHeight")
                tab.set_viewport_size({"width": width, "height": height})
                for i, top in enumerate(range(0, height, 1500)):
                    part = folder / name.replace(".png", f"-{i}.png")
                    clip = {"x": 0, "y": top, "width": width, "height": min(1500, height - top)}
                    tab.screenshot(path=str(part), clip=clip)
                    print(part)
                tab.close()
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:] or [""])
