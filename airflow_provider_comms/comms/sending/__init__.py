"""Requests that send: checked whole before a byte leaves; what the API answered; how to find out whether it did."""
