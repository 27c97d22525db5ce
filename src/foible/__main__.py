"""`python -m foible` is the command line."""

from foible.cli import main

main()
