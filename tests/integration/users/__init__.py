"""Users: one row an identity, one provisioner a wallet, and a clean end."""
