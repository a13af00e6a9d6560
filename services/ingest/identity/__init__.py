"""The keyed names under which students travel, and who of them may pass."""
