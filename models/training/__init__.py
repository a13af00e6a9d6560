"""Trains the risk model, compares a new one with the one in use, and says why it was taken or refused.

It may import `backtest`, whose walks it learns from and whose measures it judges by.
"""
