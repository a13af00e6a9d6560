"""How somebody comes to a session: by the embedded run's roles, by a token, or by an OpenID provider."""
