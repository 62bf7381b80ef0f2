"""`python -m steadymark.app`."""

from steadymark.app.cli import main

main()
