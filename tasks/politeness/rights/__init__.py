"""What sites state about the use of their pages: documents of each standard to signals, signals to verdicts. Pure."""
