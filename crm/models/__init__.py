"""Columns, constraints, relationships, rules about ONE record. Importing this package registers every table."""

from crm.models import (  # noqa: F401 - each import registers its tables
    asks,
    audit,
    commitments,
    documents,
    flows,
    imports,
    interactions,
    notes,
    offices,
    parties,
    places,
    pledges,
    programmes,
    rates,
    saved_lists,
    submissions,
    users,
)
