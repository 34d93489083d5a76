"""The pure rules of a send: who gets it, in which requests, under which tags, and what a failed request means."""
