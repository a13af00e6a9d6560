"""A small Ed-Fi ODS/API for tests, made from the published contract; it is not shipped."""
