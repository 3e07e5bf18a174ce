"""The command line, `store …`: each module adds its commands to the parser."""
