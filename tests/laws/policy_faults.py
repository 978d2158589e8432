"""Which faults of the policy must the laws and the oracle catch?

Rows like those of `faults.py`, one small and plausible mistake each; `caught_by` names the laws of
`astrolabe_core.testing`, or `the_oracle_agrees`, that must each see it. A faulty function is put
into the running process and held against cases that were drawn before, so that a row costs a
fraction of a second: what a fault changes must stand in a function.
"""

from __future__ import annotations

from tests.laws.faults import Fault

BOUNDARIES = "astrolabe_core/boundaries.py"
DECIDE = "astrolabe_core/decide.py"
FALLBACK = "astrolabe_core/fallback.py"
FRONTS = "astrolabe_core/fronts.py"
PREPARE = "astrolabe_core/prepare.py"
PRICING = "astrolabe_core/pricing.py"
RESOLVE = "astrolabe_core/resolve.py"
ROUTING = "astrolabe_core/routing.py"
RULES = "astrolabe_core/rules.py"
SCORING = "astrolabe_core/scoring.py"
TOOLS = "astrolabe_core/tool_policy.py"
VERIFIER = "astrolabe_core/verifier.py"

ORACLE = "the_oracle_agrees"
PLAN = "plan_stays_inside"
NARROWS = "an_envelope_only_narrows"
REASONS = "every_reason_is_listed"
UNBLOCK = "unblocking_changes_admit"
FRONT = "front_changes_nothing"
HOLD = "hold_bounds_every_charge"
MARK = "fingerprint_covers_its_inputs"
LEAD = "who_meets_every_target_leads"
LOCKED = "locked_overrides_only_tighten"
NARROW_TOOLS = "a_tool_profile_only_narrows"
LEVEL = "the_first_level_that_names_a_stack_decides"
PINNED = "a_named_model_serves_or_nobody"
NEVER_ADMITS = "tightening_never_admits"
REMOVING = "removing_an_unchosen_model_changes_nothing"
RAISING = "raising_an_unchosen_price_changes_nothing"
ORDER = "order_of_candidates_is_irrelevant"
SAME = "same_inputs_give_the_same_answer"
CAP = "cap_is_what_was_asked_and_fits"
TIGHT = "hold_is_no_more_than_needed"
POOL = "screening_partitions_the_pool"
AHEAD = "who_is_always_ahead_ranks_ahead"
STAYS = "a_continuation_stays_with_its_provider"

BOUNDARY_FAULTS = (
    Fault(
        "allowed providers are ignored",
        BOUNDARIES,
        "if allowed is not None and model.provider not in allowed:",
        "if allowed is None and model.provider in ():",
        (PLAN, ORACLE),
    ),
    Fault(
        "blocked providers are ignored",
        BOUNDARIES,
        "if model.provider in rules.blocked_providers:",
        "if model.provider in ():",
        (PLAN, ORACLE),
    ),
    Fault(
        "allowed models are ignored",
        BOUNDARIES,
        "not any(matches(pattern, model.id) for pattern in allowed)",
        "not any(True for pattern in (1,))",
        (PLAN, ORACLE),
    ),
    Fault(
        "blocked models are ignored",
        BOUNDARIES,
        "    if blocking:\n",
        "    if blocking and ():\n",
        (PLAN, ORACLE),
    ),
    Fault(
        "required capabilities are ignored",
        BOUNDARIES,
        "missing = rules.required_capabilities - model.capabilities",
        "missing = frozenset()",
        (PLAN, ORACLE),
    ),
    Fault(
        "the data policy is ignored",
        BOUNDARIES,
        "rules.data_policy is DataRule.NO_TRAINING\n        and",
        "rules.data_policy is None\n        and",
        (PLAN, ORACLE),
    ),
    Fault(
        "an unknown data policy counts as no training",
        BOUNDARIES,
        "and model.data_policy is not DataPolicy.NO_TRAINING",
        "and model.data_policy is DataPolicy.TRAINING",
        (PLAN, ORACLE),
    ),
    Fault(
        "an unknown retention counts as zero",
        BOUNDARIES,
        "if model.retention not in _RETENTIONS[rules.retention_policy]:",
        "if model.retention not in {*_RETENTIONS[rules.retention_policy], Retention.UNKNOWN}:",
        (PLAN, ORACLE),
    ),
    Fault(
        "previews are always allowed",
        BOUNDARIES,
        "if model.status is Status.PREVIEW and not rules.allow_preview:",
        "if model.status is Status.PREVIEW and rules is None:",
        (PLAN, ORACLE),
    ),
    Fault(
        "blocked and allowed providers are swapped",
        BOUNDARIES,
        "if model.provider in rules.blocked_providers:",
        "if model.provider in (rules.allowed_providers or ()):",
        (PLAN, ORACLE),
    ),
    Fault(
        "a pattern matches a prefix without its slash",
        BOUNDARIES,
        "model.startswith(pattern[:-1])",
        "model.startswith(pattern[:-2])",
        (PLAN, ORACLE),
    ),
    Fault(
        "the workspace's envelope is ignored",
        RESOLVE,
        "if caller.workspace.envelope is not None:",
        "if caller.workspace is None:",
        (PLAN, NARROWS, MARK, ORACLE),
    ),
    Fault(
        "the key's envelope is ignored",
        RESOLVE,
        "if caller.key.envelope is not None:",
        "if caller.key is None:",
        (PLAN, NARROWS, MARK, ORACLE),
    ),
    Fault(
        "an envelope takes the place of the stack's boundaries",
        RESOLVE,
        "    yield Layer(LayerName.STACK, stack.boundaries)\n",
        "    if caller.workspace.envelope is None:\n"
        "        yield Layer(LayerName.STACK, stack.boundaries)\n",
        (PLAN, NARROWS, ORACLE),
    ),
    Fault(
        "encrypted reasoning may go to anybody",
        RESOLVE,
        "    return evolve(resolved, layers=(*resolved.layers, only))",
        "    return evolve(resolved, layers=(*resolved.layers,))",
        (STAYS, MARK, ORACLE),
    ),
    Fault(
        "encrypted reasoning takes the place of the boundaries",
        RESOLVE,
        "    return evolve(resolved, layers=(*resolved.layers, only))",
        "    return evolve(resolved, layers=(only,))",
        (STAYS, PLAN, ORACLE),
    ),
    Fault(
        "the first reason is the only one",
        BOUNDARIES,
        "for layer in layers for rejection in _layer_rejections(model, layer)),",
        "for layer in layers[:1] for rejection in [*_layer_rejections(model, layer)][:1]),",
        (REASONS, ORACLE),
    ),
    Fault(
        "what is rejected anyway is not asked what it costs",
        DECIDE,
        "found += () if candidate is None else costs.judge(candidate)",
        "found += () if candidate is None or found else costs.judge(candidate)",
        (REASONS, ORACLE),
    ),
    Fault(
        "needs are ignored",
        BOUNDARIES,
        "if not needs <= model.capabilities:",
        "if not needs:",
        (ORACLE,),
    ),
    Fault(
        "modalities are ignored",
        BOUNDARIES,
        "if not modalities <= model.input_modalities:",
        "if not modalities:",
        (ORACLE,),
    ),
    Fault(
        "untrusted content reaches any tier",
        BOUNDARIES,
        "if untrusted and model.tier not in TRUSTED_TIERS:",
        "if untrusted and model.tier is None:",
        (ORACLE,),
    ),
    Fault(
        "the context check ignores the output",
        BOUNDARIES,
        "needed = profile.input_tokens + profile.output_tokens",
        "needed = profile.input_tokens",
        (ORACLE,),
    ),
    Fault(
        "a window that is just filled is too small",
        BOUNDARIES,
        "if needed > model.context_window:",
        "if needed >= model.context_window:",
        (ORACLE,),
    ),
    Fault(
        "an open circuit is no reason",
        BOUNDARIES,
        "if model.id in circuits_open:",
        "if model.id in ():",
        (FRONT, ORACLE),
    ),
    Fault(
        "an open circuit keeps nobody away",
        DECIDE,
        "    if now.circuits_open:\n        prepared",
        "    if not now.circuits_open:\n        prepared",
        (PLAN, ORACLE),
    ),
    Fault(
        "whom an open circuit hides from the front stays hidden",
        PREPARE,
        "            any(always_ahead(other, each, demand.terms) for other in gone)\n",
        "            any(always_ahead(each, other, demand.terms) for other in gone)\n",
        (FRONT, ORACLE),
    ),
    Fault(
        "the ceiling of the expected cost is one nano lower",
        BOUNDARIES,
        "expected > expected_max:",
        "expected >= expected_max:",
        (ORACLE, UNBLOCK),
    ),
    Fault(
        "the request budget looks at what is expected",
        BOUNDARIES,
        "if request_max is not None and at_most > request_max:",
        "if request_max is not None and expected > request_max:",
        (ORACLE,),
    ),
    Fault(
        "the ceiling compares the call alone",
        DECIDE,
        "score(candidate, size, terms, self.escalation, now.verifier_cost)",
        "score(candidate, size, terms, AttoUsd(0))",
        (ORACLE,),
    ),
    Fault(
        "the verifier's cost is forgotten in the ceiling",
        DECIDE,
        "score(candidate, size, terms, self.escalation, now.verifier_cost)",
        "score(candidate, size, terms, self.escalation)",
        (ORACLE,),
    ),
    Fault(
        "the verifier's cost is forgotten in the estimate",
        DECIDE,
        "score(order[0], size, prepared.demand.terms, escalation, now.verifier_cost)",
        "score(order[0], size, prepared.demand.terms, escalation)",
        (FRONT,),
    ),
    Fault(
        "a verifier is paid for at what its provider takes",
        VERIFIER,
        "rates(model.retail_price, bench.input_tokens, bench.at)",
        "rates(model.provider_price, bench.input_tokens, bench.at)",
        (ORACLE,),
    ),
    Fault(
        "a verifier's price ignores the boundaries",
        ROUTING,
        "        layers=resolved.layers,\n",
        "        layers=(),\n",
        (ORACLE,),
    ),
    Fault(
        "a stream is expected to be judged under auto",
        ROUTING,
        "streamed=request.stream)",
        "streamed=False)",
        (ORACLE,),
    ),
    Fault(
        "strong is taken to ask anybody",
        VERIFIER,
        "        others = [bid for bid in bids[1:] if bid[3].provider != bids[0][3].provider]\n",
        "        others = bids[1:]\n",
        (ORACLE,),
    ),
)

RANKING_FAULTS = (
    Fault(
        "misses do not count in the ranking",
        SCORING,
        "(candidate.reserve, *misses, candidate.preference),",
        "(candidate.reserve, candidate.preference),",
        (LEAD, ORACLE),
    ),
    Fault(
        "preference comes before the targets",
        SCORING,
        "(candidate.reserve, *misses, candidate.preference),",
        "(candidate.reserve, candidate.preference, *misses),",
        (LEAD, ORACLE),
    ),
    Fault(
        "reserves come first",
        SCORING,
        "(candidate.reserve, *misses, candidate.preference),",
        "(not candidate.reserve, *misses, candidate.preference),",
        (LEAD, ORACLE),
    ),
    Fault(
        "a tie is broken by the id read backwards",
        SCORING,
        "        candidate.model.id,\n    )",
        "        candidate.model.id[::-1],\n    )",
        (ORACLE,),
    ),
    Fault(
        "a tie goes to the last id",
        SCORING,
        "        candidate.model.id,\n    )",
        "        tuple(-ord(letter) for letter in candidate.model.id),\n    )",
        (ORACLE,),
    ),
    Fault(
        "the latency of a target is that of the first token",
        SCORING,
        "        late = latency - terms.latency_slo_ms\n",
        "        late = max(0, candidate.first_token_ms - terms.latency_slo_ms)\n",
        (LEAD, ORACLE),
    ),
    Fault(
        "a model at its latency target misses it",
        SCORING,
        "latency > terms.latency_slo_ms:\n        late = latency - terms.latency_slo_ms\n",
        "latency >= terms.latency_slo_ms:\n        late = latency + 1 - terms.latency_slo_ms\n",
        (LEAD, ORACLE),
    ),
    Fault(
        "harder work asks for no better model",
        SCORING,
        "asked = QUALITY_FLOOR[target] + COMPLEXITY_SURCHARGE[complexity]",
        "asked = QUALITY_FLOOR[target]",
        (ORACLE,),
    ),
    Fault(
        "an escalation is as likely as the answer is good",
        SCORING,
        "return call + (FULL_BPS - candidate.quality.value) * escalation",
        "return call + candidate.quality.value * escalation",
        (ORACLE,),
    ),
    Fault(
        "several answers cost as much as one",
        SCORING,
        "max(1, profile.output_tokens * profile.choices)",
        "max(1, profile.output_tokens)",
        (ORACLE,),
    ),
    Fault(
        "the front is one place too small",
        PREPARE,
        "        if can_lead(candidate, contenders, demand.terms, places=places)",
        "        if can_lead(candidate, contenders, demand.terms, places=max(1, places - 1))",
        (FRONT, ORACLE),
    ),
    Fault(
        "the front forgets reserves",
        FRONTS,
        "    if first.reserve != second.reserve:\n        return second.reserve\n",
        "    if first.reserve != second.reserve:\n        return first.reserve\n",
        (FRONT, ORACLE),
    ),
    Fault(
        "the front takes the cheaper input for the cheaper call",
        FRONTS,
        "        one.output < two.output\n        and one.input <= two.input",
        "        one.input <= two.input",
        (FRONT, ORACLE),
    ),
    Fault(
        "the front forgets the chance of an escalation",
        FRONTS,
        "if terms.escalates and first.quality.value < second.quality.value:",
        "if terms is None:",
        (AHEAD,),
    ),
    Fault(
        "the size of the pool moves the ranking",
        DECIDE,
        "return order[: demand.places]",
        "return order[:: -1 if len(candidates) == 2 else 1][: demand.places]",
        (REMOVING, FRONT, ORACLE),
    ),
    Fault(
        "the dearest is taken for the best",
        SCORING,
        "        case CostMode.LOWEST_PASSABLE | CostMode.FIXED:\n            pass",
        "        case CostMode.LOWEST_PASSABLE | CostMode.FIXED:\n            first = -cost",
        (RAISING, ORACLE),
    ),
    Fault(
        "the order of a lane's candidates ranks them",
        PREPARE,
        "        preference=place_of(model.id, demand.preferred),",
        "        preference=prepared.pool.candidates.index(model.id) if not reserve else 0,",
        (ORDER, ORACLE),
    ),
    Fault(
        "a rule's upper bound excludes itself",
        RULES,
        "profile.input_tokens <= when.input_tokens_max",
        "profile.input_tokens < when.input_tokens_max",
        (ORACLE,),
    ),
    Fault(
        "the last rule that holds speaks",
        RULES,
        "for position, rule in enumerate(rules):",
        "for position, rule in reversed([*enumerate(rules)]):",
        (ORACLE,),
    ),
)

PLAN_FAULTS = (
    Fault(
        "a fallback leaves the policy",
        ROUTING,
        "            return Routed(\n",
        "            from attrs import evolve\n"
        "            from astrolabe_core.scoring import contender\n"
        "            spare = [\n"
        "                evolve(decision.selected, contender=found)\n"
        "                for model, _ in prepared.roster.models\n"
        "                if (found := contender(snapshot.catalog, model, 'coding'))\n"
        "            ]\n"
        "            decision = evolve(decision, ranked=(*decision.ranked, *spare))\n"
        "            return Routed(\n",
        (PLAN,),
    ),
    Fault(
        "one attempt too many",
        FALLBACK,
        "following[: demand.attempts_max - 1]",
        "following[: demand.attempts_max]",
        (PLAN, ORACLE),
    ),
    Fault(
        "one attempt too few",
        FALLBACK,
        "following[: demand.attempts_max - 1]",
        "following[: max(0, demand.attempts_max - 2)]",
        (ORACLE,),
    ),
    Fault(
        "fallback cannot be switched off",
        FALLBACK,
        "return rules.max_attempts if rules.enabled else 1",
        "return rules.max_attempts",
        (PLAN, ORACLE),
    ),
    Fault(
        "the same provider is any provider",
        FALLBACK,
        "if other.model.provider == first.model.provider",
        "if other.model.provider",
        (ORACLE,),
    ),
    Fault(
        "an escalation goes down",
        FALLBACK,
        "if _quality(other) > _quality(first)",
        "if _quality(other) < _quality(first)",
        (ORACLE,),
    ),
    Fault(
        "some categories are escalated all the same",
        FALLBACK,
        "category in rules.never_escalate_categories",
        "category in ()",
        (ORACLE,),
    ),
    Fault(
        "a fixed order is the order of the ranking",
        FALLBACK,
        "key=lambda other: place_of(other.model.id, demand.fixed_order)",
        "key=lambda other: 0",
        (ORACLE,),
    ),
    Fault(
        "a named model gives way to its fallbacks",
        DECIDE,
        "if not order or (prepared.roster.pool.pinned and order[0].reserve):",
        "if not order:",
        (PINNED, ORACLE),
    ),
    Fault(
        "the preview leaves out whom the boundaries reject",
        DECIDE,
        "        if found or candidate is None:\n            rejected.append(",
        "        if candidate is None:\n            rejected.append(",
        (ORACLE,),
    ),
    Fault(
        "the preview forgets the circuits",
        DECIDE,
        "            found += passing(model, profile, now.circuits_open, now.at)\n",
        "            found += passing(model, profile, {}, now.at)\n",
        (FRONT, ORACLE),
    ),
    Fault(
        "a request that is too long is blocked by policy",
        ROUTING,
        "if windows and len(windows) == len(blocked.rejected):",
        "if windows and not blocked.rejected:",
        (ORACLE,),
    ),
    Fault(
        "half of the changes that would admit a model are proposed",
        DECIDE,
        "for found in item.rejections\n            ),\n        )",
        "for found in item.rejections[:1]\n            ),\n        )",
        (UNBLOCK,),
    ),
    Fault(
        "what no rule can change is left out of a proposal",
        DECIDE,
        "if all(found.remedy is not None for found in item.rejections)",
        "if any(found.remedy is not None for found in item.rejections)",
        (UNBLOCK,),
    ),
)

MONEY_FAULTS = (
    Fault(
        "a hold is rounded down",
        PRICING,
        "    return round_up(AttoUsd(exact))",
        "    return NanoUsd(exact // 10**9)",
        (ORACLE, HOLD),
    ),
    Fault(
        "the hold is that of the first option",
        FALLBACK,
        "return max(option.hold for option in self.options)",
        "return self.options[0].hold",
        (HOLD, TIGHT, ORACLE),
    ),
    Fault(
        "the hold covers what is expected and not what is possible",
        DECIDE,
        "input_tokens_max=min(profile.input_tokens_max, candidate.model.context_window),",
        "input_tokens_max=min(profile.input_tokens, candidate.model.context_window),",
        (HOLD, ORACLE),
    ),
    Fault(
        "the hold is for one of several answers",
        DECIDE,
        "output_tokens_max=cap * profile.choices,",
        "output_tokens_max=cap,",
        (HOLD, ORACLE),
    ),
    Fault(
        "another cap is priced than is sent",
        DECIDE,
        "return Option(contender=candidate, output_tokens_max=cap, hold=hold)",
        "return Option(contender=candidate, output_tokens_max=Tokens(cap + 1), hold=hold)",
        (CAP, HOLD, ORACLE),
    ),
    Fault(
        "the hold takes the price of now",
        PRICING,
        "reachable = [base, *(rate for rate in merged if rate is not None)]",
        "reachable = [base]",
        (HOLD, ORACLE),
    ),
    Fault(
        "a hold takes cached input for granted",
        PRICING,
        "input_tokens_max * max(dearest.input, dearest.cached_input, dearest.cache_write)",
        "input_tokens_max * min(dearest.input, dearest.cached_input)",
        (HOLD, ORACLE),
    ),
    Fault(
        "reasoning is held at the price of words",
        PRICING,
        "output_tokens_max * max(dearest.output, dearest.reasoning)",
        "output_tokens_max * dearest.output",
        (HOLD, ORACLE),
    ),
    Fault(
        "images are not held for",
        PRICING,
        "        + images * dearest.image\n",
        "",
        (HOLD, ORACLE),
    ),
    Fault(
        "a window of hours does not wrap midnight",
        PRICING,
        "if begin <= end else minute >= begin or minute < end",
        "if begin <= end else False",
        (ORACLE,),
    ),
    Fault(
        "a price for long prompts begins one token late",
        PRICING,
        "if input_tokens < override.input_tokens_min:",
        "if input_tokens <= override.input_tokens_min:",
        (ORACLE,),
    ),
    Fault(
        "an unknown price is free",
        BOUNDARIES,
        "if prices.input is None or prices.output is None:",
        "if prices.input is None and prices.output is None:",
        (POOL, ORACLE),
    ),
)

STACK_FAULTS = (
    Fault(
        "the workspace's stack comes before the key's",
        RESOLVE,
        "    if caller.key.stack is not None:\n",
        "    if caller.key.stack is not None and caller.workspace.stack is None:\n",
        (LEVEL,),
    ),
    Fault(
        "a stack that is not there falls through to the default",
        RESOLVE,
        "    if version is None:\n        return _not_found(named, level)\n",
        "    if version is None:\n        version = MANAGED[DEFAULT_STACK]\n",
        (LEVEL, ORACLE),
    ),
    Fault(
        "locked fields are not locked",
        RESOLVE,
        "if loosens and name in stack.locked_overrides:",
        "if loosens and not stack.slug:",
        (LOCKED, ORACLE),
    ),
    Fault(
        "a locked quality may be lowered",
        RESOLVE,
        "_QUALITY_ORDER.index(asked) < _QUALITY_ORDER.index(",
        "_QUALITY_ORDER.index(asked) > _QUALITY_ORDER.index(",
        (LOCKED, ORACLE),
    ),
    Fault(
        "a locked verification looks at the general mode alone",
        RESOLVE,
        "            stack.verification.high_stakes_mode,\n",
        "",
        (LOCKED,),
    ),
    Fault(
        "a locked fallback can be switched on",
        RESOLVE,
        "bool(overrides.fallback) and not stack.fallback.enabled",
        "bool(overrides.fallback) and stack.fallback.enabled",
        (LOCKED,),
    ),
    Fault(
        "the widest tool profile holds",
        TOOLS,
        "profile=max(profiles, key",
        "profile=min(profiles, key",
        (NARROW_TOOLS,),
    ),
    Fault(
        "a request's tool profile takes the place of the layers'",
        TOOLS,
        "(overrides.tool_profile, *(layer.boundaries.tool_profile for layer in layers))",
        "(overrides.tool_profile, *(layer.boundaries.tool_profile for layer in layers))[:1]",
        (NARROW_TOOLS,),
    ),
    Fault(
        "of several labels the most lenient answer counts",
        TOOLS,
        "return max((row[REACH[label]] for label in labels)",
        "return min((row[REACH[label]] for label in labels)",
        (NARROW_TOOLS,),
    ),
    Fault(
        "the fingerprint forgets the layers",
        PREPARE,
        "digest=digest((pool, layers, _catalog_digest(catalog))),",
        "digest=digest((pool, _catalog_digest(catalog))),",
        (MARK,),
    ),
    Fault(
        "the fingerprint forgets the catalog",
        PREPARE,
        "digest=digest((pool, layers, _catalog_digest(catalog))),",
        "digest=digest((pool, layers)),",
        (MARK,),
    ),
    Fault(
        "the fingerprint forgets the circuits",
        DECIDE,
        "    if now.circuits_open:\n        shut",
        "    if now.circuits_open is None:\n        shut",
        (MARK,),
    ),
    Fault(
        "the fingerprint forgets the verifier",
        DECIDE,
        "    if now.verifier_cost:\n",
        "    if now.verifier_cost is None:\n",
        (MARK,),
    ),
    Fault(
        "the fingerprint forgets the hour of the reference's price",
        PREPARE,
        "each.fixed_rates is None for each in (*contenders, reference) if each is not None",
        "each.fixed_rates is None for each in contenders",
        (MARK,),
    ),
    Fault(
        "what was prepared for one catalog serves another",
        PREPARE,
        "    models = tuple(_members(pool, catalog))\n",
        "    models = _members.__dict__.setdefault('kept', tuple(_members(pool, catalog)))\n",
        (POOL, ORACLE),
    ),
)

POLICY_FAULTS = (*BOUNDARY_FAULTS, *RANKING_FAULTS, *PLAN_FAULTS, *MONEY_FAULTS, *STACK_FAULTS)
