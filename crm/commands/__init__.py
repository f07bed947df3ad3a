"""One command group a file; each parses, calls one service or report, prints."""
