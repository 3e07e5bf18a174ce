"""SQL text: its parse tree, its files, and the comments in them."""
