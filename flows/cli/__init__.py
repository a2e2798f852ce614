"""The command line: one file a group of commands, and how results are shown."""
