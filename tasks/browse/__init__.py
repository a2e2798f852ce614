"""The web interface for lake and index, `presslake browse`. It only reads."""
