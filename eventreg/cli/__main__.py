"""`python -m eventreg.cli`: the same as `eventreg`, where the script is not on the path."""

from eventreg.cli import main

main()
