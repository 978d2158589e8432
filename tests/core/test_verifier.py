"""Whom to ask for a grade: only where it is worth it, and nobody that policy keeps out."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve
from hypothesis import event, given
from hypothesis import strategies as st

from astrolabe_core import shipped
from astrolabe_core.answers import Answer, Finish
from astrolabe_core.boundaries import standing
from astrolabe_core.catalog import Capability, Catalog, DataPolicy, Model, Retention, Status, Tier
from astrolabe_core.checks import Check, Finding
from astrolabe_core.classify import classify
from astrolabe_core.classify.sizes import measure
from astrolabe_core.grading import verifier_request
from astrolabe_core.managed import MANAGED
from astrolabe_core.prepare import Demand
from astrolabe_core.pricing import rates
from astrolabe_core.requests import (
    Complexity,
    Modifier,
    OutputFormat,
    Profile,
    Tool,
    ToolLabel,
    ask,
)
from astrolabe_core.resolve import Layer, LayerName
from astrolabe_core.routing import Routed, demand_of, route
from astrolabe_core.rules import Ruling
from astrolabe_core.scoring import Terms
from astrolabe_core.stacks import (
    Boundaries,
    CostMode,
    DataRule,
    QualityTarget,
    RetentionRule,
    Rule,
    RuleVerb,
    Trigger,
    VerificationMode,
)
from astrolabe_core.tool_policy import EFFECTS
from astrolabe_core.units import Bps, Instant, ModelId, StackSlug, Tokens
from astrolabe_core.verification import Verdict, VerificationStatus
from astrolabe_core.verifier import (
    CLASSIFIER_CONFIDENCE_MIN,
    CONSEQUENTIAL,
    COST_MAX,
    OUTPUT_TOKENS_MAX,
    Bench,
    certain,
    choose_verifier,
    obeyed,
    quality_asked,
    question_tokens,
    verdict_cost,
    warranted,
)
from tests.core.classify.labelled import LABELLED, NATURAL
from tests.core.market import NOW, catalog, good, model, price_list, profile

LIGHT, AUTO = VerificationMode.LIGHT, VerificationMode.AUTO
STRICT, STRONG = VerificationMode.STRICT, VerificationMode.STRONG
GRADING = (STRICT, STRONG)


# --- whether ------------------------------------------------------------------------------
def verdict(mode: VerificationMode, **others: Any) -> Verdict:
    return Verdict(**({"mode": mode, "status": VerificationStatus.PASSED} | others))


def classified(**changes: Any) -> Profile:
    plain = profile()
    return evolve(plain, classification=evolve(plain.classification, **changes))


CHAT = classify(ask("hello, how are you today?"))
GUESS = classified(confidence=Bps(CLASSIFIER_CONFIDENCE_MIN - 1), complexity=Complexity.COMPLEX)
STAKES = classified(modifiers=frozenset({Modifier.HIGH_STAKES}))
OVERDUE = (Finding(check=Check.SCHEMA_CHECKED, message="", trigger=Trigger.SCHEMA_FAILURE),)
NO_LABELS: tuple[ToolLabel, ...] = ()


@pytest.mark.parametrize("mode", GRADING)
def test_the_strict_modes_have_every_answer_judged_that_can_be(mode: VerificationMode) -> None:
    assert warranted(verdict(mode), CHAT, NO_LABELS)
    assert not warranted(verdict(mode, hollow=True), STAKES, NO_LABELS)
    # No grade would make it deliverable.
    assert not warranted(verdict(mode, findings=OVERDUE), STAKES, NO_LABELS)


@pytest.mark.parametrize("mode", [VerificationMode.OFF, LIGHT])
def test_the_light_modes_ask_nobody(mode: VerificationMode) -> None:
    assert not warranted(verdict(mode, repaired=True), STAKES, (ToolLabel.PAY,))


@pytest.mark.parametrize(
    ("profile_", "labels", "found", "asks"),
    [
        (CHAT, NO_LABELS, {}, False),
        (profile(), NO_LABELS, {}, False),
        (STAKES, NO_LABELS, {}, True),
        (STAKES, NO_LABELS, {"hollow": True}, False),
        (CHAT, NO_LABELS, {"repaired": True}, True),
        (CHAT, NO_LABELS, {"findings": OVERDUE}, True),
        (CHAT, (ToolLabel.READ, ToolLabel.SEARCH), {}, False),
        (CHAT, (ToolLabel.BROWSE,), {}, False),
        (CHAT, (ToolLabel.READ, ToolLabel.PAY), {}, True),
        (CHAT, (ToolLabel.READ, ToolLabel.WRITE, ToolLabel.EXECUTE), {}, False),
        (CHAT, (ToolLabel.DELEGATE,), {}, False),
        (CHAT, (ToolLabel.DELETE,), {}, True),
        (CHAT, (ToolLabel.SEND,), {}, True),
        (CHAT, (ToolLabel.WRITE, ToolLabel.ADMIN), {}, True),
        (CHAT, (ToolLabel.UNKNOWN,), {}, False),
        (GUESS, NO_LABELS, {}, True),
        (classified(confidence=Bps(3_000), complexity=Complexity.STANDARD), NO_LABELS, {}, False),
        (
            classified(confidence=CLASSIFIER_CONFIDENCE_MIN, complexity=Complexity.CRITICAL),
            NO_LABELS,
            {},
            False,
        ),
    ],
)
def test_auto_asks_for_risk_a_mended_schema_an_effect_and_a_guess(
    profile_: Profile, labels: tuple[ToolLabel, ...], found: dict[str, Any], asks: bool
) -> None:
    assert warranted(verdict(AUTO, **found), profile_, labels) is asks


def test_what_nobody_takes_back_is_among_what_has_an_effect() -> None:
    assert CONSEQUENTIAL < EFFECTS


@pytest.mark.parametrize(
    ("mode", "profile_", "streamed", "sure"),
    [
        (STRICT, CHAT, False, True),
        (STRONG, CHAT, True, True),
        (AUTO, CHAT, False, False),
        (AUTO, STAKES, False, True),
        (AUTO, GUESS, False, True),
        (AUTO, STAKES, True, False),
        (AUTO, classified(confidence=Bps(0), complexity=Complexity.STANDARD), False, False),
        (LIGHT, STAKES, False, False),
        (VerificationMode.OFF, STAKES, False, False),
    ],
)
def test_only_what_is_known_beforehand_makes_a_verifier_certain(
    mode: VerificationMode, profile_: Profile, streamed: bool, sure: bool
) -> None:
    assert certain(mode, profile_, streamed=streamed) is sure
    # And it is kept to: whoever is certain to be asked is.
    assert not sure or warranted(verdict(mode), profile_, NO_LABELS)


def test_auto_asks_for_few_of_the_labelled_requests_and_for_no_plain_question() -> None:
    """At most one in twenty for being a guess alone."""
    profiles = [classify(row.request) for row in (*LABELLED, *NATURAL)]
    guesses = [
        found
        for found in profiles
        if Modifier.HIGH_STAKES not in found.classification.modifiers
        and warranted(verdict(AUTO), found, NO_LABELS)
    ]
    assert len(guesses) * 20 <= len(profiles)
    for text in ("hi", "What is the capital of Australia?", "who painted this", "danke dir"):
        assert not warranted(verdict(AUTO), classify(ask(text)), NO_LABELS)


def test_auto_asks_for_long_work_that_no_word_explains() -> None:
    found = classify(ask("Zwölf Boxkämpfer jagen Viktor quer über den Sylter Deich. " * 600))
    assert found.classification.confidence < CLASSIFIER_CONFIDENCE_MIN
    assert warranted(verdict(AUTO), found, NO_LABELS)


# --- who ----------------------------------------------------------------------------------
ANSWERER = model("acme/one")
DEMAND = Demand(
    needs=frozenset(),
    modalities=frozenset(),
    untrusted=False,
    category="coding",
    terms=Terms(cost_mode=CostMode.LOWEST_PASSABLE, quality_floor=Bps(7_000)),
)


def judge(model_id: str, nanos: int = 100, *, quality: int = 8_000, **changes: Any) -> Model:
    listed = price_list(input_nanos=nanos, output_nanos=nanos)
    return model(model_id, price=listed, **({"quality": good(quality)} | changes))


def bench(*models: Model, **changes: Any) -> Bench:
    known: dict[str, Any] = {
        "catalog": catalog(ANSWERER, *models),
        "layers": (),
        "demand": DEMAND,
        "target": QualityTarget.STANDARD,
        "circuits_open": frozenset(),
        "input_tokens": Tokens(1_000),
        "at": NOW,
    }
    return Bench(**(known | changes))


def chosen(
    found: Bench, mode: VerificationMode = STRICT, *, answerer: Model = ANSWERER, asked: str = ""
) -> str | None:
    model_ = choose_verifier(found, mode, answerer, [ModelId(each) for each in asked.split()])
    return None if model_ is None else model_.id


def test_the_cheapest_that_is_good_enough_is_asked_and_ties_go_by_name() -> None:
    dear, good_, poor = (
        judge("a/dear", 300),
        judge("b/good", 200),
        judge("c/poor", 1, quality=6_999),
    )
    assert chosen(bench(dear, good_, poor)) == "b/good"
    assert chosen(bench(dear, poor)) == "a/dear"
    assert chosen(bench(judge("b/x"), judge("a/x"))) == "a/x"


def test_where_nobody_is_good_enough_the_best_of_them_is_asked() -> None:
    assert chosen(bench(judge("a/x", 1, quality=5_000), judge("b/x", 9, quality=6_000))) == "b/x"


@pytest.mark.parametrize(
    ("target", "mode", "floor"),
    [
        (QualityTarget.DRAFT, STRICT, 7_000),
        (QualityTarget.STANDARD, AUTO, 7_000),
        (QualityTarget.HIGH, AUTO, 7_700),
        (QualityTarget.DRAFT, STRONG, 7_700),
        (QualityTarget.CRITICAL, STRONG, 8_600),
    ],
)
def test_a_judge_is_as_good_as_the_stack_asks_of_answers(
    target: QualityTarget, mode: VerificationMode, floor: int
) -> None:
    assert quality_asked(target, mode) == floor


def test_another_model_than_the_answerer_is_asked_where_there_is_one() -> None:
    assert chosen(bench(judge("a/weak", 900, quality=1))) == "a/weak"
    assert chosen(bench()) == ANSWERER.id


def test_strong_asks_another_provider_or_nobody() -> None:
    same, other = judge("acme/two", 1), judge("other/x", 900, quality=1)
    assert chosen(bench(same, other), STRONG) == "other/x"
    assert chosen(bench(same), STRONG) is None
    assert chosen(bench(same), STRICT) == "acme/two"


@pytest.mark.parametrize(
    "changes",
    [
        {"status": Status.PREVIEW},
        {"status": Status.DEPRECATED},
        {"capabilities": frozenset(Capability) - {Capability.STRUCTURED_OUTPUT}},
        {"context_window": Tokens(1_000 + OUTPUT_TOKENS_MAX - 1)},
        {"retail_price": price_list(input_nanos=None)},
        {"provider_price": price_list(output_nanos=None)},
    ],
)
def test_who_cannot_judge_is_not_asked(changes: dict[str, Any]) -> None:
    assert chosen(bench(judge("a/x", **changes), judge("b/x", 900))) == "b/x"
    fits = {"context_window": Tokens(1_000 + OUTPUT_TOKENS_MAX)}
    assert chosen(bench(judge("a/x", **fits), judge("b/x", 900))) == "a/x"


def test_who_was_asked_or_has_an_open_circuit_is_left_out() -> None:
    here = (judge("a/x", 1), judge("b/x", 2), judge("c/x", 3))
    assert chosen(bench(*here), asked="a/x") == "b/x"
    assert chosen(bench(*here, circuits_open=frozenset({"a/x"})), asked="b/x") == "c/x"
    assert chosen(bench(), asked=ANSWERER.id) is None


def test_nobody_is_asked_who_could_cost_more_than_the_bound() -> None:
    """At the prices of the provider, with all of the output that a verifier may use."""
    tokens = 1_000 + OUTPUT_TOKENS_MAX
    nanos = COST_MAX // tokens
    assert chosen(bench(judge("a/x", nanos), judge("b/x", nanos + 1)), STRONG) == "a/x"
    assert chosen(bench(judge("b/x", nanos + 1)), STRONG) is None
    thinking = price_list(input_nanos=1, output_nanos=1, reasoning=nanos * 2)
    assert chosen(bench(model("b/x", price=thinking)), STRONG) is None


@pytest.mark.parametrize("name", [LayerName.STACK, LayerName.WORKSPACE, LayerName.KEY])
@pytest.mark.parametrize(
    "rules",
    [
        Boundaries(allowed_providers=frozenset({"acme", "b"})),
        Boundaries(blocked_models=frozenset({"a/*"})),
        Boundaries(data_policy=DataRule.NO_TRAINING),
        Boundaries(retention_policy=RetentionRule.ZERO),
    ],
)
def test_a_verifier_obeys_every_layer(rules: Boundaries, name: LayerName) -> None:
    """bifrost #6739, hermes-agent #68679: helper calls shipped the prompt past the policy."""
    lax = judge("a/x", 1, data_policy=DataPolicy.TRAINING, retention=Retention.STANDARD)
    layers = (Layer(LayerName.STACK, Boundaries()), Layer(name, rules))
    assert chosen(bench(lax, judge("b/x"), layers=layers)) == "b/x"
    assert chosen(bench(lax, layers=layers), STRONG) is None


def test_the_layer_of_sealed_reasoning_does_not_bind_who_is_not_shown_it() -> None:
    only = Boundaries(allowed_providers=frozenset({"acme"}))
    sealed, house = Layer(LayerName.CONTINUATION, only), Layer(LayerName.STACK, Boundaries())
    assert obeyed((house, sealed)) == (house,)
    assert chosen(bench(judge("b/x"), layers=(house, sealed)), STRONG) == "b/x"
    assert chosen(bench(judge("b/x"), layers=(Layer(LayerName.KEY, only),)), STRONG) is None


def test_untrusted_content_is_read_by_trusted_tiers_only() -> None:
    demand = evolve(DEMAND, untrusted=True)
    cheap, trusted = judge("a/x", 1, tier=Tier.ECONOMY), judge("b/x", 900)
    assert chosen(bench(cheap, trusted, demand=demand)) == "b/x"
    assert chosen(bench(cheap, trusted)) == "a/x"


@pytest.mark.parametrize(
    ("verb", "expected"),
    [(RuleVerb.REFUSE, "b/x"), (RuleVerb.USE, "a/x"), (RuleVerb.PREFER, "a/x")],
)
def test_a_rule_that_refuses_a_model_refuses_it_as_a_verifier_too(
    verb: RuleVerb, expected: str
) -> None:
    ruling = Ruling(0, Rule(verb=verb, models=("a/*",)))
    use = Ruling(0, Rule(verb=verb, models=("b/*",)))
    here = (judge("a/x", 1), judge("b/x", 900))
    said = ruling if verb is RuleVerb.REFUSE else use
    assert chosen(bench(*here, demand=evolve(DEMAND, ruling=said))) == expected


# --- for how much -------------------------------------------------------------------------
def charged(model_id: str, nanos: int, retail: int, **changes: Any) -> Model:
    """Make a judge whose provider takes so much, and who is sold for something else."""
    sold = price_list(input_nanos=retail, output_nanos=retail)
    return judge(model_id, nanos, **({"retail_price": sold} | changes))


@pytest.mark.parametrize(
    ("mode", "retail"),
    # The next best after b/x: b/y by the mode that takes another model, c/x by that of providers.
    [(STRICT, 30), (AUTO, 30), (STRONG, 70)],
)
def test_a_verdict_costs_the_dearer_of_the_two_who_may_come_first(
    mode: VerificationMode, retail: int
) -> None:
    here = (charged("b/x", 1, 20), charged("b/y", 2, 30), charged("c/x", 3, 70))
    found = bench(*here, catalog=catalog(*here))
    assert verdict_cost(found, mode) == (1_000 + 512) * retail


def test_a_verdict_costs_no_less_for_the_one_in_its_place_being_cheap() -> None:
    here = (charged("b/x", 1, 20), charged("c/x", 2, 10))
    assert verdict_cost(bench(catalog=catalog(*here)), STRICT) == (1_000 + 512) * 20


def test_a_verdict_of_nobody_costs_nothing_and_of_the_only_one_its_price() -> None:
    alone = charged("b/x", 1, 20)
    assert verdict_cost(bench(catalog=catalog(alone)), STRONG) == (1_000 + 512) * 20
    only = Boundaries(allowed_providers=frozenset({"nobody"}))
    assert verdict_cost(bench(alone, layers=(Layer(LayerName.KEY, only),)), STRONG) == 0


@pytest.mark.parametrize("mode", GRADING)
@pytest.mark.parametrize("slug", ["high-stakes", "customer-data"])
def test_whoever_answers_in_the_shipped_world_its_first_verifier_was_counted(
    slug: str, mode: VerificationMode
) -> None:
    for found, answerer in questions(slug):
        first = choose_verifier(found, mode, answerer, ())
        assert first is not None
        rate = rates(first.retail_price, found.input_tokens, found.at)
        assert rate is not None
        due = found.input_tokens * rate.input + 512 * max(rate.output, rate.reasoning)
        assert due <= verdict_cost(found, mode) * 10**9 + 10**9


@pytest.mark.parametrize(
    ("prompt", "answer"),
    [("hi", "x"), ("word " * 2_000, "answer text " * 300), ("word " * 40_000, "")],
)
def test_the_size_of_a_question_is_known_before_its_answer(prompt: str, answer: str) -> None:
    request_ = ask(prompt)
    said = Answer(finish=Finish.STOP, texts=(answer,))
    asked = measure(verifier_request(request_, said)).expected
    expected = question_tokens(evolve(classify(request_), output_tokens=Tokens(len(answer) // 4)))
    assert abs(asked - expected) * 20 <= asked
    assert question_tokens(profile(input_tokens=Tokens(10**6), choices=100)) == 600 + 24_000


MODELS = st.lists(
    st.builds(
        judge,
        st.sampled_from(["acme/two", "a/x", "a/y", "b/x", "c/x"]),
        st.integers(1, 80_000),
        quality=st.integers(0, 10_000),
        status=st.sampled_from(Status),
        data_policy=st.sampled_from(DataPolicy),
        context_window=st.sampled_from([4_000, 5_096, 90_000]).map(Tokens),
    ),
    max_size=5,
    unique_by=lambda made: made.id,
)
RULES = st.builds(
    Boundaries,
    data_policy=st.sampled_from(DataRule),
    blocked_providers=st.frozensets(st.sampled_from(["acme", "a", "b"]), max_size=2),
    allow_preview=st.booleans(),
)


@given(MODELS, RULES, RULES, st.sampled_from([AUTO, *GRADING]), st.data())
def test_whoever_is_chosen_may_be_and_narrower_rules_admit_nobody_new(
    models: list[Model],
    wide: Boundaries,
    more: Boundaries,
    mode: VerificationMode,
    data: st.DataObject,
) -> None:
    layers = (Layer(LayerName.STACK, wide),)
    found = bench(*models, layers=layers)
    asked: list[ModelId] = []
    while (named := choose_verifier(found, mode, ANSWERER, asked)) is not None:
        assert named.id not in asked
        assert not standing(named, layers)
        assert named.status is Status.ACTIVE
        assert mode is not STRONG or named.provider != ANSWERER.provider
        asked.append(named.id)
    event(f"{len(asked)} may judge")
    narrow = evolve(found, layers=(*layers, Layer(LayerName.KEY, more)))
    still: list[ModelId] = []
    while (named := choose_verifier(narrow, mode, ANSWERER, still)) is not None:
        still.append(named.id)
    assert [each for each in asked if each in still] == still


# --- the shipped world --------------------------------------------------------------------
SHIPPED = shipped.catalog()
PLAIN = ask("Translate this letter into French, please.")
VARIANTS = {
    "plain": PLAIN,
    "tools": evolve(PLAIN, tools=(Tool(name="send_mail", schema_bytes=200),)),
    "schema": evolve(PLAIN, output_format=OutputFormat.JSON_SCHEMA, schema={"type": "object"}),
    "stakes": ask("Wire 40,000 dollars from the company account to this supplier now"),
}


def questions(slug: str) -> list[tuple[Bench, Model]]:
    """Every candidate of every lane that could answer under this stack, with its bench."""
    stack = MANAGED[StackSlug(slug)].stack
    layers = (Layer(LayerName.STACK, stack.boundaries),)
    made = []
    for request_ in VARIANTS.values():
        demand = demand_of(classify(request_), stack)
        found = Bench(
            catalog=SHIPPED,
            layers=layers,
            demand=demand,
            target=stack.objective.quality_target,
            circuits_open=frozenset(),
            input_tokens=Tokens(24_000),
            at=Instant(0),
        )
        made += [(found, each) for each in SHIPPED.models if not standing(each, layers)]
    return made


def modes_of(slug: str) -> set[VerificationMode]:
    rules = MANAGED[StackSlug(slug)].stack.verification
    named = {rules.mode, rules.schema_mode, rules.high_stakes_mode, STRICT}
    return {mode for mode in named if mode in {AUTO, *GRADING}}


@pytest.mark.parametrize("slug", list(MANAGED))
def test_every_answer_of_a_managed_stack_has_two_who_may_judge_it(slug: str) -> None:
    """Two: where the first fails, a second one is asked. All nine, by any of their models."""
    asked_for = questions(slug)
    assert asked_for
    for found, answerer in asked_for:
        for mode in modes_of(slug):
            first = choose_verifier(found, mode, answerer, ())
            assert first is not None, (slug, mode, answerer.id)
            second = choose_verifier(found, mode, answerer, (first.id,))
            assert second is not None, (slug, mode, answerer.id)
            quality = found.catalog.priors[first.tier].quality
            assert quality >= quality_asked(found.target, mode), (slug, mode, answerer.id)


@pytest.mark.parametrize(
    ("slug", "text", "first"),
    [
        (
            "default-optimizer",
            "Wire 40,000 dollars to this supplier now",
            "deepseek/deepseek-v4-pro",
        ),
        ("customer-data", "Translate this letter into French", "openai/gpt-5.4-mini"),
        ("high-stakes", "Translate this letter into French", "openai/gpt-5.4"),
    ],
)
def test_who_judges_in_the_shipped_world(slug: str, text: str, first: str) -> None:
    """By an answer of Claude Opus: the cheapest of those as good as its stack asks."""
    stack = MANAGED[StackSlug(slug)].stack
    routed = route(ask(text), shipped.snapshot(stack=stack.slug))
    assert isinstance(routed, Routed)
    found = Bench(
        catalog=SHIPPED,
        layers=obeyed(routed.resolved.layers),
        demand=routed.shortlist.demand,
        target=routed.resolved.stack.objective.quality_target,
        circuits_open=frozenset(),
        input_tokens=Tokens(2_000),
        at=NOW,
    )
    answerer = SHIPPED.model("anthropic/claude-opus-4.7")
    assert answerer is not None
    assert chosen(found, routed.verification, answerer=answerer) == first


def test_choosing_again_among_the_same_models_judges_none_of_them_anew() -> None:
    """A large catalog must not be gone through with its boundaries for every answer."""
    many = Catalog(
        version="1",
        models=tuple(judge(f"a/m{n:03}", n + 1) for n in range(300)),
        priors=SHIPPED.priors,
    )
    found = bench(catalog=many, layers=(Layer(LayerName.STACK, Boundaries()),))
    calls = []

    class Watched(frozenset[str]):
        def __contains__(self, item: object) -> bool:
            calls.append(item)
            return super().__contains__(item)

    blocked = Boundaries(blocked_providers=Watched({"b"}))
    watched = evolve(found, layers=(Layer(LayerName.STACK, blocked),))
    assert chosen(watched) == "a/m000"
    judged = len(calls)
    assert judged >= 300
    assert chosen(watched) == "a/m000"
    assert len(calls) == judged
