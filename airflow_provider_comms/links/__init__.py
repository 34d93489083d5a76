"""Links from a task to Twilio."""
