"""Documents out: reads only, imports no Flask."""
