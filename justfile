# The few commands. Without just: copy the line that stands below a name.

# Everything at work: a simulated school year through the real stack
demo:
    uv run firstbell demo

# The loop while you write: no Kafka, no PostgreSQL, no long properties
fast *ARGS:
    uv run pytest -n 0 -m "not slow" tests/unit {{ARGS}}

# All tests, with the real services
test *ARGS:
    uv run pytest {{ARGS}}

# Style, types, who may import whom, pins, catalogs
check:
    uv run ruff check .
    uv run ruff format --check .
    uv run mypy
    uv run lint-imports
    uv run python deploy/pin.py --check
    uv run python deploy/messages.py --check

# What a benchmark says: just bench stream
bench NAME *ARGS:
    uv run python -m benchmarks.{{NAME}} {{ARGS}}
