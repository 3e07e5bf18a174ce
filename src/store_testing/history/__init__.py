"""What many workers saw of the store at once, and whether it can be explained."""
