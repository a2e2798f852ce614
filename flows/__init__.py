"""The flows: order, fan-out and schedule only; one flow per file."""
