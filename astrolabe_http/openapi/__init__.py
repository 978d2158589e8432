"""What can be asked of the gateway, in a form that programs read?

`document()` is the OpenAPI 3.1 description of every route, made of tables: `operations` are the
routes, the other modules what they take and answer. Pure. Where the server has a table of its own
(rulings on fields, events of a stream, codes of errors) this package reads it; where it has code,
the tests put code and schema to the same bodies and answers.
"""

from astrolabe_http.openapi.document import document, document_bytes

__all__ = ["document", "document_bytes"]
