"""Search: a full-text index of the newest texts, beside the index of the control plane, made from the lake alone."""
