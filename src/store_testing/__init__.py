"""What tests of an API on the store need: its schema, its rows, and what it is sent.

- `plugin` has the fixtures: `database_url`, `conn`, `store`, `async_store` and others.
- `factories` makes rows that a test needs but does not care about.
- `crossmint` and `chains` make webhooks and pages of events as they really look.
- `strategies` and `chat_strategies` draw them, and `model` says what they mean.
- `history` has workers call a store at once, and explains what each of them saw.
"""
