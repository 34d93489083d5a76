"""What very many waits cost: a model, the costs it is fed with, and what they were measured with."""
