"""What is a provider sent that has only the other of the two formats?

Both take what a wire's `upstream_body` made, a body that was read and found right, and give the
body of the other format. What cannot be said there was refused before; see `refusals`.
"""

from astrolabe_http.wire.fields import Object, array_of
from astrolabe_http.wire.translation.conversation import chat_messages, responses_input
from astrolabe_http.wire.translation.options import chat_options, responses_options


def chat_request(body: Object) -> dict[str, object]:
    """Write a Responses body as a Chat body."""
    made = chat_options(body)
    made["messages"] = chat_messages(body.get("instructions"), body.get("input"))
    made["usage"] = {"include": True}
    if body.get("stream") is True:
        made["stream"] = True
        made["stream_options"] = {"include_usage": True}
    return made


def responses_request(body: Object) -> dict[str, object]:
    """Write a Chat body as a Responses body."""
    made = responses_options(body)
    made["input"] = responses_input(array_of(body.get("messages")))
    made["store"] = False
    if body.get("stream") is True:
        made["stream"] = True
    return made
