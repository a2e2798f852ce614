"""The flows: order, fan-out and schedule only; one flow a file."""
