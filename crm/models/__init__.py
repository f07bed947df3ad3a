"""Columns, constraints, relationships, rules about ONE record. Importing this package registers every table."""

from crm.models import (  # noqa: F401 - each import registers its tables
    asks,
    audit,
    commitments,
    documents,
    files,
    flows,
    imports,
    interactions,
    jobs,
    notes,
    offices,
    parties,
    places,
    pledges,
    programmes,
    rates,
    saved_lists,
    search,
    submissions,
    users,
)
