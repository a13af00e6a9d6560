"""The read model and history API that caseworkers see."""
