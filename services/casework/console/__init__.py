"""The console for caseworkers, supervisors, stewards and operators: pages, made of what the `/v1` API answers."""
