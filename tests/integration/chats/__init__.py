"""Chats: sessions, their turns and titles."""
