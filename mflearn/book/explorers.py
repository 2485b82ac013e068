"""What stands in a page in the place of an explorer: its states recorded ahead, to move through, or a still picture."""

import base64
import html

from .. import widgets
from . import replay

INVENTED = "explore_map", "explore_recommendations"  # which show films
LIVE = "<p>This is live in JupyterLab: open the notebook there with <code>make lab</code>.</p>"
FESTIVAL = "<p>Here the ratings are those of the invented film festival.</p>"


def live(name: str) -> str:
    """An explorer that moves in the page, as HTML; one that has no grid in `replay` is still."""
    if name not in replay.GRIDS:
        return still(name)
    ratings = FESTIVAL if name in INVENTED else ""
    return f'<div class="explorer mathjax_ignore">{replay.embed(name)}{ratings}</div>'


def still(name: str) -> str:
    """The explorer that `explore_…` of this name makes, as HTML: its question, its picture at the start, its words."""
    explorer = getattr(widgets, name)()
    seen = picture(base64.b64encode(explorer.picture.png).decode(), explorer.snapshot.words)
    explorer.progress.stop()  # nobody will move it
    asked = ""
    if explorer.prediction:
        options = "".join(f"<li>{html.escape(option)}</li>" for option in explorer.prediction.options)
        asked = f"<p><b>Predict first.</b> {html.escape(explorer.prediction.text)}</p><ul>{options}</ul>"
    ratings = FESTIVAL if name in INVENTED else ""
    return framed(explorer.title, f"{asked}{seen}{ratings}{LIVE}")


def picture(png: str, words: str) -> str:
    """A picture, in base64, and the words that say what it shows: for those who see it, and for those who do not."""
    words = html.escape(words)
    return f'<figure><img alt="{words}" src="data:image/png;base64,{png}"><figcaption>{words}</figcaption></figure>'


def framed(title: str, inside: str) -> str:
    """A box with a title; dollar signs in it are no formulas."""
    return f'<div class="explorer mathjax_ignore"><p class="explorer-title">{html.escape(title)}</p>{inside}</div>'
