"""One request and its response: built, sent, repeated, slowed down, read."""
