"""What a site says may be done with its pages: each standard's bytes into signals, signals into verdicts. Pure."""
