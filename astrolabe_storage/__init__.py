"""Where do balances, keys and traces live?  The backends behind the ports of the core."""
