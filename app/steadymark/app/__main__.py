"""`python -m steadymark.app`."""

from steadymark.app.cli.main import main

if __name__ == "__main__":
    main()
