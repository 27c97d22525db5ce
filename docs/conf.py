"""How `make docs` builds the site: these pages, and a reference made from the docstrings. Every warning is an error.

Comes in: the Markdown of this folder, the docstrings of `src/foible`. Goes out: `build/docs`. The pages are read on
GitHub too, so their links are relative; those that leave this folder are made absolute here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel
from sphinx.util.typing import stringify_annotation

import foible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic.fields import FieldInfo
    from sphinx.application import Sphinx

HOME = "https://github.com/foible/foible"

project = "foible"
version = release = foible.__version__
language = "en"

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
nitpicky = True  # a reference to a name that is nowhere is a warning, and so an error
nitpick_ignore_regex = [
    ("py:.*", r"(?!foible\b).*"),  # of other projects: looking these up would need a network
    ("py:.*", r"foible(\.\w+)+\._\w+"),  # a type variable, which has no page
]

myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {"members": True, "undoc-members": True, "no-value": True}
autodoc_class_signature = "mixed"
toc_object_entries_show_parents = "hide"
python_maximum_signature_line_length = 88
napoleon_numpy_docstring = False
napoleon_use_rtype = False
smartquotes_action = "D"  # dashes alone, which Sphinx itself writes as "--"; quotes stay as they were written

html_theme = "furo"
html_title = f"foible {version}"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_show_copyright = False  # the licence stands in LICENSE
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {"source_repository": HOME, "source_branch": "main", "source_directory": "docs/"}

OUTSIDE = re.compile(r"\]\(\.\./")
"""Where the target of a link begins that leaves this folder: what is there is no page of the site."""

MARKED = re.compile(r"(?<!`)`([^`]+)`(?!`)(\w*)")
"""Code as Markdown marks it, and what follows without a space, as in the plural of a class."""

DOUBLED = r"``\1``\\ \2"
"""The same as reStructuredText marks it."""


def outward(app: Sphinx, name: str, source: list[str]) -> None:  # noqa: ARG001 - the signature is Sphinx's
    """Point links that leave this folder to the repository."""
    source[0] = OUTSIDE.sub(f"]({HOME}/blob/main/", source[0])


def docstring(app: Sphinx, what: str, name: str, thing: Any, how: Any, lines: list[str]) -> None:  # noqa: ARG001, PLR0913, PLR0917 - as above
    """Make a docstring of ours, which has Google's sections and Markdown's backticks, into what napoleon reads.

    The text of a field of `HuntConfig` stands in the field, where `foible config` reads it too: it is added here.
    """
    lines[:] = [MARKED.sub(DOUBLED, line) for line in lines]
    if what in {"attribute", "data", "property"}:
        lines.insert(0, "\\ ")  # nothing; or napoleon would take what stands before a colon for the type
    if what == "class" and issubclass(thing, BaseModel):
        lines.append("")
        lines.extend(line for field, info in thing.model_fields.items() for line in told(field, info))


def told(name: str, field: FieldInfo) -> Iterator[str]:
    """Describe a field of `HuntConfig` for Sphinx: its text, its default (a section has those of its own), its kind."""
    text = MARKED.sub(DOUBLED, str(field.description))
    told_already = field.default is None or isinstance(field.default, BaseModel)
    default = "" if told_already else f" Default: ``{field.default!r}``."
    yield f":param {name}: {text}{default}"
    yield f":type {name}: {stringify_annotation(field.annotation, 'smart')}"


def signature(app: Sphinx, what: str, name: str, thing: Any, *rest: Any) -> tuple[str, None] | None:  # noqa: ARG001 - as above
    """Leave the signature of a group of options out: it would repeat each field."""
    return ("", None) if what == "class" and issubclass(thing, BaseModel) else None


def setup(app: Sphinx) -> None:
    """Join the above to the build, before napoleon."""
    app.connect("source-read", outward)
    app.connect("autodoc-process-docstring", docstring, priority=100)
    app.connect("autodoc-process-signature", signature)
