"""What the route of deliveries answers with."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

DeliveryState = Literal["queued", "sent", "failed", "cancelled"]


class DeliveryItem(BaseModel):
    """One message to one recipient."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    alert: UUID
    case: UUID | None
    channel: Literal["mail"]
    to: str
    state: DeliveryState
    reason: str | None
    """Why it was cancelled or failed, or waits for another try."""
    not_before: datetime | None
    """It is not tried before; null when nothing holds it back."""
    attempts: int
    created_at: datetime
    sent_at: datetime | None


class DeliveryPage(BaseModel):
    """Deliveries, the newest first, and the cursor of the next page or null."""

    items: list[DeliveryItem]
    next: str | None
