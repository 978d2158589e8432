"""How does a JSON document become a record, and a record a document?

The only module that imports cattrs. cattrs finds the hook for a type; the hooks are ours, made
from `SCALARS` and the shapes: every key is looked at, every fault is collected, and nothing is
coerced. Sets are written sorted, so that equal records give equal text.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any, Final, TypeAlias, TypeVar, get_args, get_origin

import attrs
from cattrs import Converter

from astrolabe_core.codec.findings import (
    FINDINGS_MAX,
    Finding,
    Invalid,
    Unreadable,
    did_you_mean,
    form,
    join,
    refuse,
)
from astrolabe_core.codec.scalars import SCALARS, Pattern, Scalar
from astrolabe_core.codec.shapes import WRITTEN_AS, Kind, RuleForm, Shape, shape_of
from astrolabe_core.stacks import Rule, RuleVerb

T = TypeVar("T")
Json: TypeAlias = Any
_Read: TypeAlias = Callable[[Any, Any], Any]
_Write: TypeAlias = Callable[[Any], Any]

ITEMS_MAX: Final = 10_000
"""The most items of one list and the most keys of one map."""


def read(document: object, kind: type[T]) -> T | Invalid:
    """Make a record of a document, or say everything that is wrong with it."""
    try:
        record: T = _CONVERTER.structure(document, kind)
    except Unreadable as unreadable:
        return Invalid(unreadable.findings[:FINDINGS_MAX])
    return record


def write(record: object, kind: object = None) -> Json:
    """Make the document of a record; of a plain container with its type named."""
    return _CONVERTER.unstructure(record, unstructure_as=kind or type(record))


class _Faults:
    """Findings of one container, collected until there are enough."""

    def __init__(self) -> None:
        self.found: list[Finding] = []

    @property
    def enough(self) -> bool:
        return len(self.found) >= FINDINGS_MAX

    def attempt(self, step: str | int | None, hook: _Read, value: object, kind: object) -> Json:
        """Read one part; a fault is kept, seen from here, and `None` stands for the value."""
        try:
            return hook(value, kind)
        except Unreadable as unreadable:
            self.found += unreadable.findings if step is None else unreadable.below(step)
            return None

    def end(self) -> None:
        """Refuse the container where anything was found."""
        if self.found:
            raise Unreadable(*self.found)


def _scalar_reader(scalar: Scalar) -> _Read:
    return lambda value, _: scalar.read(value)


def _list_reader(kind: Kind, converter: Converter) -> _Read:
    make, item = _origin(kind), get_args(kind)[0]
    hook = converter.get_structure_hook(item)

    def read_items(value: object, _: object) -> Collection[Any]:
        if not isinstance(value, list | tuple):
            raise refuse(
                f"must be a list, not {form(value)}",
                "put it in brackets" if isinstance(value, str) else None,
            )
        _bound(value)
        faults, items = _Faults(), []
        for position, one in enumerate(value):
            items.append(faults.attempt(position, hook, one, item))
            if faults.enough:
                break
        faults.end()
        made: Collection[Any] = make(items)
        return made

    return read_items


def _mapping_reader(kind: Kind, converter: Converter) -> _Read:
    key_kind, value_kind = get_args(kind)
    key_hook = converter.get_structure_hook(key_kind)
    value_hook = converter.get_structure_hook(value_kind)

    def read_entries(value: object, _: object) -> Mapping[Any, Any]:
        entries = _object(value)
        _bound(entries)
        faults, read_so_far = _Faults(), {}
        for key, one in entries.items():
            named = faults.attempt(key, key_hook, key, key_kind)
            read_so_far[named] = faults.attempt(key, value_hook, one, value_kind)
            if faults.enough:
                break
        faults.end()
        return read_so_far

    return read_entries


def _record_reader(kind: Kind, converter: Converter) -> _Read:
    shape = shape_of(kind)
    known = frozenset((*shape.names, *shape.derived, *shape.passed_over))
    hooks = [(slot, converter.get_structure_hook(slot.kind)) for slot in shape.slots]

    def read_record(value: object, _: object) -> Json:
        document = _object(value)
        faults, values = _Faults(), {}
        for slot, hook in hooks:
            if slot.flat:
                names = shape_of(slot.kind).names
                part = {name: document[name] for name in names if name in document}
                values[slot.field] = faults.attempt(None, hook, part, slot.kind)
            elif slot.name in document:
                said = document[slot.name]
                values[slot.field] = faults.attempt(slot.name, hook, said, slot.kind)
            elif slot.required:
                faults.found.append(Finding(path=slot.name, message="is missing"))
        faults.found += _unknown(document, known, shape)
        faults.end()
        record = kind(**values)
        for name, derive in shape.derived.items():
            if document.get(name, derive(record)) != derive(record):
                raise refuse(f"must be {derive(record)!r} here", "or leave it out", path=name)
        return record

    return read_record


def _unknown(document: Mapping[str, object], known: Collection[str], shape: Shape) -> list[Finding]:
    strangers = [key for key in document if key not in known]
    return [
        Finding(
            path=join(key, ""),
            message=f"unknown key; known here: {', '.join(shape.names)}",
            suggestion=_moved(key, shape) or did_you_mean(key, shape.names),
        )
        for key in strangers[:FINDINGS_MAX]
    ]


def _moved(key: str, shape: Shape) -> str | None:
    """Say of a key that belongs one level further down where it should stand."""
    for slot in shape.slots:
        if _is_record(slot.kind) and key in shape_of(slot.kind).names:
            return f"did you mean {slot.name}.{key}?"
    return None


def _object(value: object) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise refuse(f"must be an object, not {form(value)}")
    if any(not isinstance(key, str) for key in value):
        raise refuse("must have strings as keys")
    return value


def _bound(items: Collection[object]) -> None:
    if len(items) > ITEMS_MAX:
        raise refuse(f"has {len(items)} items; the most is {ITEMS_MAX}")


def _read_rule(value: object, _: object) -> Rule:
    read_form: RuleForm = _CONVERTER.structure(value, RuleForm)
    said = [
        (verb, models)
        for verb in RuleVerb
        if (models := getattr(read_form, verb.value)) is not None
    ]
    if len(said) != 1:
        raise refuse(
            f"a rule has exactly one of {', '.join(RuleVerb)}; this has {len(said)}",
            "write one rule for each" if said else 'add one, like "use": ["vendor/*"]',
        )
    ((verb, models),) = said
    return Rule(when=read_form.when, verb=verb, models=models)


def _write_rule(rule: Rule) -> object:
    models = tuple(Pattern(model) for model in rule.models)
    match rule.verb:
        case RuleVerb.USE:
            return write(RuleForm(when=rule.when, use=models))
        case RuleVerb.PREFER:
            return write(RuleForm(when=rule.when, prefer=models))
        case RuleVerb.REFUSE:
            return write(RuleForm(when=rule.when, refuse=models))


def _list_writer(kind: Kind, converter: Converter) -> _Write:
    hook = converter.get_unstructure_hook(get_args(kind)[0])
    if _origin(kind) is frozenset:
        return lambda items: sorted(hook(item) for item in items)
    return lambda items: [hook(item) for item in items]


def _mapping_writer(kind: Kind, converter: Converter) -> _Write:
    key_hook, value_hook = map(converter.get_unstructure_hook, get_args(kind))
    return lambda entries: {key_hook(key): value_hook(entries[key]) for key in sorted(entries)}


def _record_writer(kind: Kind, converter: Converter) -> _Write:
    shape = shape_of(kind)
    hooks = [(slot, converter.get_unstructure_hook(slot.kind)) for slot in shape.slots]

    def write_record(record: object) -> dict[str, Any]:
        document: dict[str, Any] = {}
        for slot, hook in hooks:
            value = getattr(record, slot.field)
            if slot.flat:
                document.update(hook(value))
            elif not (shape.sparse and value == slot.default):
                document[slot.name] = hook(value)
        document.update((name, derive(record)) for name, derive in shape.derived.items())
        return document

    return write_record


def _origin(kind: Kind) -> Kind:
    return get_origin(kind)


def _is_list(kind: Kind) -> bool:
    return _origin(kind) in {tuple, frozenset}


def _is_mapping(kind: Kind) -> bool:
    return _origin(kind) is Mapping


def _is_record(kind: Kind) -> bool:
    return isinstance(kind, type) and attrs.has(kind) and kind not in WRITTEN_AS


def _made() -> Converter:
    converter = Converter()
    for kind, scalar in SCALARS.items():
        # One by one: cattrs looks a StrEnum up as a `str` where it has no hook of its own.
        converter.register_structure_hook(kind, _scalar_reader(scalar))
        converter.register_unstructure_hook(kind, scalar.write)
    for belongs, reader, writer in (
        (_is_list, _list_reader, _list_writer),
        (_is_mapping, _mapping_reader, _mapping_writer),
        (_is_record, _record_reader, _record_writer),
    ):
        converter.register_structure_hook_factory(belongs, reader)
        converter.register_unstructure_hook_factory(belongs, writer)
    converter.register_structure_hook(Rule, _read_rule)
    converter.register_unstructure_hook(Rule, _write_rule)
    return converter


_CONVERTER: Final = _made()
