"""What is put, kept in a dictionary: a store for tests that look at bytes."""


def keep_in(objects):
    """A `put` of files into the dictionary."""

    def put(key, body):
        body.seek(0)
        objects[key] = body.read()

    return put
