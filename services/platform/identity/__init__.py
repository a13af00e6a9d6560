"""Who asks: bearer tokens checked against their issuer, the caller they make, and the run's own issuers."""
