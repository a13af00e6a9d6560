"""Trains the risk model, compares a new one with the one in use, and says why it was taken or refused."""
