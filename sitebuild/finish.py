"""After the build: what a static host needs and mkdocs does not make, one style sheet, Markdown copies, the
policy, the bundle that opens from disk."""

import re

from sitebuild import ROOT, cards, macros, metadata, offline, policy, search, styles, texts

SITE = ROOT / "site"


def main(site=SITE):
    (site / ".nojekyll").write_text("")  # GitHub Pages would drop folders that begin with an underscore
    (site / "robots.txt").write_text(f"User-agent: *\nAllow: /\nSitemap: {macros.site_url()}sitemap.xml\n")
    without_dates(site / "sitemap.xml")
    (site / "sitemap.xml.gz").unlink(missing_ok=True)  # carries the time of the build; sitemap.xml says the same
    search.write(site)
    styles.bundle(site)
    texts.write(site)
    cards.write(site)
    metadata.write(site)
    policy.write(site)  # after all that changes pages: it holds the hashes of the scripts that stand in them
    offline.write(site)  # of the finished pages


def without_dates(sitemap):
    """mkdocs gives every page the day of the build, which says nothing about the page and differs from day to day."""
    text = sitemap.read_text(encoding="utf-8")
    sitemap.write_text(re.sub(r"\s*<lastmod>[^<]*</lastmod>", "", text), encoding="utf-8")


if __name__ == "__main__":
    main()
