"""The command line: `astrolabe NOUN VERB`, over the same functions as the server."""
