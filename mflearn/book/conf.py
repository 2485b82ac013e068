"""The settings of Sphinx for the pages."""

project = "Matrix factorization"
html_title = project
language = "en"
smartquotes = False  # quotation marks stay as the notebooks write them

extensions = ["myst_nb"]
nb_execution_mode = "off"  # the pages show what is committed
nb_code_prompt_show, nb_code_prompt_hide = "Show the code", "Hide the code"
myst_enable_extensions = ["dollarmath", "amsmath"]
myst_heading_anchors = 4
myst_heading_slug_func = "mflearn.book.pages.anchor"  # so that links to headings work in JupyterLab and here
mathjax_path = "mathjax.js"

html_theme = "sphinx_book_theme"
html_static_path = ["_static"]
html_extra_path = ["decks"]
html_css_files = ["book.css"]
html_js_files = ["quiz.js"]
html_copy_source = False
html_show_sphinx = False
html_use_index = False
html_context = {"default_mode": "auto"}  # light or dark, as the system is
html_theme_options = {
    "home_page_in_toc": True,
    "use_download_button": False,
    "use_fullscreen_button": False,
    "toc_title": "On this page",
    "navbar_persistent": [],  # the search is at the left
    "footer_content_items": [],
}
