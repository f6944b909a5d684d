"""The Content-Security-Policy: what a page may load and run, said by the page itself, and by a host that sends headers.

Nothing comes from another host. A script that stands in the page runs only if its hash is listed, so nothing that
somebody slips into a page runs. Styles may stand in the page: KaTeX and the figures place their parts with them.
"""

import base64
import hashlib
import re

_SCRIPT = re.compile(r"<script(?![^>]*\bsrc=)([^>]*)>(.*?)</script>", re.S)
_META = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')
_DATA = re.compile(r"type=\"?(application/(ld\+)?json|text/(?!javascript))")
RULES = {
    "default-src": "'self'",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data:",
    "font-src": "'self' data:",
    "worker-src": "'self' blob:",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
}
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def inline_scripts(html):
    """The text of every script that stands in the page and runs; data such as JSON does not run."""
    return [text for attributes, text in _SCRIPT.findall(html) if not _DATA.search(attributes)]


def digest(script):
    """'sha256-…' as the policy names a script."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def policy(scripts):
    """The policy of a page with these scripts in it."""
    sources = " ".join(["'self'", *sorted({digest(script) for script in scripts})])
    return "; ".join(f"{name} {value}" for name, value in {**RULES, "script-src": sources}.items())


def guarded(html):
    """The page with its policy as the first thing after its encoding."""
    meta = f'<meta http-equiv="Content-Security-Policy" content="{policy(inline_scripts(html))}">'
    return re.sub(r'(<meta charset="?utf-8"?>)', lambda found: found[1] + meta, unguarded(html), count=1)


def unguarded(html):
    """The page without a policy."""
    return _META.sub("", html)


def write(site):
    """Every page says its policy; `_headers` says it, and what only a header can say, to hosts that read that file."""
    scripts = set()
    for path in sorted(site.rglob("*.html")):
        html = path.read_text(encoding="utf-8")
        scripts |= set(inline_scripts(html))
        path.write_text(guarded(html), encoding="utf-8")
    headers = {"Content-Security-Policy": f"{policy(scripts)}; frame-ancestors 'none'", **HEADERS}
    lines = [f"  {name}: {value}" for name, value in headers.items()]
    (site / "_headers").write_text("\n".join(["/*", *lines, ""]), encoding="utf-8")
