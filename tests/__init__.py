"""The promises of Throughline, tried. Folders mirror the code; see docs/architecture.md."""
