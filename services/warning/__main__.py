"""`python -m services.warning`."""

from services.warning.app import main

main()
