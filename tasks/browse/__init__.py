"""The page on which people look through lake and index: `presslake browse`. It only reads."""
