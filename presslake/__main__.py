"""`python -m presslake`: the command `presslake`."""

from presslake_command import main

if __name__ == "__main__":
    main()
