"""The pure rules of a wait: what is waited for and how, what an answer means for it, when to poll again."""
