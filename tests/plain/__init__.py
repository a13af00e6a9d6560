"""The plain definition: what must hold for every student, counted day by day from what was handed in.

Slow and small on purpose. It shares the policy, the features and the model with the product, and nothing else.
"""
