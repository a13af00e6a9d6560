"""The world simulator: a made-up district and school year, seeded, as rows of the district export set.

It imports no other room: what is to be found must not know who looks for it.
"""

from models.simulation.config import WorldConfig
from models.simulation.rows import HEADERS, Row
from models.simulation.world import World, simulate

__all__ = ["HEADERS", "Row", "World", "WorldConfig", "simulate"]
