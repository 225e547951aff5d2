"""ServiceAccounts of Macs and of join tokens: they end with what they are for, and all their tokens with them."""
