"""The documentation site: ``sphinx-build -W docs docs/_build``."""

import ganzoo

project = "ganzoo"
author = "the ganzoo maintainers"
release = version = ganzoo.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_click",
    "sphinx_copybutton",
]
exclude_patterns = ["_build"]
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
copybutton_prompt_text = "$ "

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented_params"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
# Single backquotes in docstrings name Python objects where they can be found and are code elsewhere.
default_role = "any"
nitpicky = False
suppress_warnings = ["ref.any"]

smartquotes = False  # they would make a dash of the -- of options

html_theme = "furo"
html_title = "ganzoo"
