"""Search: a full-text index of the newest texts, built from the lake alone, separate from the control plane's index."""
