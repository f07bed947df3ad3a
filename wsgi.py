"""The WSGI entry: `app`."""

from crm.app import create_app

app = create_app()
