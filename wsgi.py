"""The WSGI entry: `app`."""

import gc

from crm.app import create_app

app = create_app()

# What was loaded stays as long as the process: looking through it for garbage again and again cost a seventh of all time on pages.
gc.collect()
gc.freeze()
gc.set_threshold(5_000, 20, 20)
