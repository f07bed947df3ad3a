"""See docs/architecture.md for what belongs in web."""
