"""Every number, defined once. Pages, documents, exports and the API call these functions and add nothing up themselves."""
