"""Does what was promised as JSON have the schema that it was promised in?

The core says what is to be held against which schema; only a host can do it, since a schema may
take as long as its author likes and must be stopped from outside. What was found comes back as a
plain value, so that what follows is decided and replayed without any schema.
"""

from collections.abc import Mapping

from attrs import field, frozen

from astrolabe_core.answers import Answer, Finish
from astrolabe_core.repair import candidates, parses
from astrolabe_core.requests import OutputFormat, Request


@frozen(kw_only=True)
class Claim:
    """Texts of which one must have the schema: as the model wrote it, then as it was mended.

    `choice` is the place of the text among the answer's, `None` for the arguments of the call at
    `call` among the tool calls.
    """

    texts: tuple[str, ...] = field(repr=False)
    schema: Mapping[str, object] = field(repr=False, eq=False)
    choice: int | None = None
    call: int | None = None


@frozen(kw_only=True)
class Conformity:
    """How a claim fared.

    `fitting` is the place of the first text that has the schema, `None` where none has. `flaws`
    say what is wrong with the first text: JSON pointers and words of ours. `checked` is false
    where it could not be told in time; `fitting` and `flaws` say nothing then.
    """

    fitting: int | None = None
    flaws: tuple[str, ...] = ()
    checked: bool = True


def claims(answer: Answer, request: Request, *, mendable: bool) -> tuple[Claim, ...]:
    """Give what must have a schema; `mendable` says that the caller has not seen it yet.

    An answer that was cut short has none to have. Arguments that are no JSON at all are found
    elsewhere. Beside a tool call a text is what the model says about it, and not the answer.
    """
    if answer.finish is Finish.LENGTH:
        return ()
    schemas = {tool.name: tool.parameters for tool in request.tools if tool.parameters}
    made = [
        Claim(texts=(call.arguments or "{}",), schema=schemas[call.name], call=place)
        for place, call in enumerate(answer.tool_calls)
        if call.name in schemas and parses(call.arguments or "{}", as_object=True)
    ]
    if request.output_format is OutputFormat.JSON_SCHEMA and request.schema is not None:
        made += [
            Claim(
                texts=candidates(text) if mendable else (text,),
                schema=request.schema,
                choice=place,
            )
            for place, text in promised(answer)
        ]
    return tuple(made)


def promised(answer: Answer) -> tuple[tuple[int, str], ...]:
    """Give the texts that must be JSON where JSON was asked for, each with its place.

    A refusal is no answer; of several choices those that say something must still keep the promise.
    """
    if answer.tool_calls or answer.finish in {Finish.LENGTH, Finish.CONTENT_FILTER}:
        return ()
    texts = tuple(enumerate(answer.texts))
    if answer.refusal is None:
        return texts
    return tuple(each for each in texts if each[1].strip()) if len(texts) > 1 else ()
