"""What a parent may ask (34 CFR 99.10, 99.20): to see the record, and to have it corrected."""
