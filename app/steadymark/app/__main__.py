"""`python -m steadymark.app`."""

from steadymark.app.cli import main

if __name__ == "__main__":
    main()
