# What `.venv/bin/flask` reads by itself; a variable that is set already wins.
FLASK_APP=wsgi:app
FLASK_RUN_HOST=127.0.0.1
FLASK_RUN_PORT=8000
