"""The district's side of the wall: validation, consent gate, pseudonyms, dead letters."""
