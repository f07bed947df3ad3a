"""Speed on a large seeded data set: `python -m bench` (or `make bench`). Stands outside the application's rules."""
