"""Explorers: sliders over a computation. No mathematics here: controls → result → axes.

Whoever adds a module to this folder adds an explorer: each function `explore_…` of a module can be imported from here.
"""

import importlib
import pkgutil

from .explorer import Explorer
from .locked_test import LockedTest

__all__ = ["Explorer", "LockedTest"]

for _module in pkgutil.iter_modules(__path__):
    _found = importlib.import_module(f"{__name__}.{_module.name}")
    for _name, _value in vars(_found).items():
        if _name.startswith("explore_") and _value.__module__ == _found.__name__:
            globals()[_name] = _value
            __all__.append(_name)
