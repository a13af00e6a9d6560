"""How far the stream is behind, for operators; nothing here is about a student."""
