"""What the sensor and the operators share: arguments, and how a task ends."""
