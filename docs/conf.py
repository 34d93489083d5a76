"""How `make docs` turns these pages into a site: Sphinx, from the Markdown here and the docstrings of the package."""

from __future__ import annotations

import logging
import os
from tempfile import TemporaryDirectory

# Airflow is imported for its base classes: into a home of its own, and without a word.
_home = TemporaryDirectory(prefix="airflow-provider-comms-docs-")
os.environ["AIRFLOW_HOME"] = _home.name
logging.disable(logging.INFO)

from airflow_provider_comms import __version__  # noqa: E402

project = "airflow-provider-comms"
release = version = __version__
author = "the airflow-provider-comms contributors"
project_copyright = author

extensions = ["myst_parser", "sphinx.ext.autodoc"]

# Pages are plain Markdown with relative links, so that a forge shows them too; these are what they use beyond it.
myst_enable_extensions = ["colon_fence", "linkify"]
myst_heading_anchors = 4
myst_links_external_new_tab = False

# Docstrings put code between single backticks, as their readers in an editor see them.
default_role = "code"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented_params"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
autodoc_member_order = "bysource"
autodoc_class_signature = "separated"
autodoc_default_options = {"exclude-members": "__new__, __init__"}
add_module_names = False
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88

html_theme = "furo"
html_title = f"airflow-provider-comms {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_theme_options = {"top_of_page_buttons": []}
