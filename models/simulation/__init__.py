"""The world simulator: a made-up district and school year, seeded, as rows of the district export set."""

from models.simulation.config import WorldConfig
from models.simulation.rows import HEADERS, Row
from models.simulation.world import World, simulate

__all__ = ["HEADERS", "Row", "World", "WorldConfig", "simulate"]
