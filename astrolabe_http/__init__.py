"""How does an OpenAI request reach the core, and the answer get back?  The gateway over HTTP."""
