"""Shape and wording of input. Forms never touch the database."""
