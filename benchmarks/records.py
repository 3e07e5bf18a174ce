"""The rows that the contenders return: slotted dataclasses, fields in table order.

The generated models themselves, so that a new column breaks no peer's records.
"""

from generated.models import CartItem, ChatMessage, Order, OrderItem
from generated.models import UserProfile as User

__all__ = ["CartItem", "ChatMessage", "Order", "OrderItem", "User"]
