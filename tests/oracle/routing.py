"""What should be decided?  The routing rules once more, naively, without a line of the core.

A world is plain dictionaries, lists and strings: `stacks` (documents with `version` and
`status`), `managed`, `caller`, `catalog`, `lanes`, `request` and what it needs (`profile`). All
candidates are looked at every time; costs are exact fractions of a nano-dollar. The answer is a
dictionary, too: `refused` with a code, or every candidate with its reasons or its score, and the
plan with caps and hold.
"""

from __future__ import annotations

from fractions import Fraction
from math import ceil
from typing import Any

Json = dict[str, Any]

QUALITY = {"draft": 5_500, "standard": 7_000, "high": 7_700, "critical": 8_600}
HARDER = {"simple": -500, "standard": 0, "complex": 600, "critical": 900}
IMPLIED = {
    "lowest_cost_passable": "lowest_passable",
    "fastest_passable": "fastest_passable",
    "highest_quality_within_budget": "premium",
    "fixed_priority": "fixed",
    "custom_rules": "lowest_passable",
}
STRICTER = ["off", "light", "auto", "strict", "strong"]
TARGETS = ["draft", "standard", "high", "critical"]
ORDER = [
    "model_inactive",
    "unknown_pricing",
    "provider_not_allowed",
    "model_not_allowed",
    "provider_blocked",
    "model_blocked",
    "missing_capability",
    "modality_unsupported",
    "context_window_exceeded",
    "data_policy_mismatch",
    "retention_policy_mismatch",
    "preview_not_allowed",
    "over_max_expected_cost",
    "over_request_budget",
    "outside_envelope",
    "untrusted_content_floor",
    "circuit_open",
]
CAP = 16_384
PARTS = ("input", "output", "cached_input", "cache_write", "reasoning", "image", "request")


def decide(world: Json) -> Json:
    """Decide as the contract says."""
    named = candidates(world)
    if named is None:
        return {"refused": "unknown_model"}
    stack = governing(world)
    if isinstance(stack, str):
        return {"refused": stack}
    names, reserves, reference, pinned = named
    if pinned and stack["fallback"]["enabled"] and stack["fallback"]["mode"] == "fixed_order":
        listed = stack["objective"]["priority"]
        reserves = [
            model["id"]
            for model in world["catalog"]
            if model["id"] not in names and any(means(each, model["id"]) for each in listed)
        ]
    if pinned:
        lane = [each for each in world["lanes"] if each["lane"] == world["profile"]["lane"]]
        reference = lane[0]["reference"] if lane else names[0]
    table = []
    for model in world["catalog"]:
        if model["id"] in names or model["id"] in reserves:
            reserve = model["id"] not in names
            table.append(judge(world, stack, model, reserve, reference))
    accepted = [row for row in table if not row["reasons"]]
    accepted.sort(key=lambda row: row["key"])
    rejected = {row["id"]: row["reasons"] for row in table if row["reasons"]}
    said = {"rejected": rejected, "accepted": [shown(row) for row in accepted]}
    if not accepted or (pinned and accepted[0]["reserve"]):
        mine = {name: why for name, why in rejected.items() if not pinned or name in names}
        long = [name for name, why in mine.items() if "context_window_exceeded" in codes(why)]
        too_long = bool(mine) and len(long) == len(mine)
        waiting = any(codes(why) == ["circuit_open"] for why in mine.values())
        code = "overloaded" if waiting else "routing_policy_blocked"
        return {"refused": "context_length_exceeded" if too_long else code, "rejected": mine}
    chain = follow(stack, world["profile"]["category"], accepted)
    head = accepted[0]
    kind = "relaxed" if head["misses"] else "selected" if len(accepted) > 1 else "sole_candidate"
    return {
        **said,
        "kind": "pinned" if pinned else kind,
        "plan": [(row["id"], row["cap"], row["hold"]) for row in chain],
        "hold": max(row["hold"] for row in chain),
    }


def codes(reasons: list[tuple[str, ...]]) -> list[str]:
    return [reason[0] for reason in reasons]


def shown(row: Json) -> Json:
    return {name: row[name] for name in ("id", "cost", "latency", "misses", "reserve")}


# Who is asked for, and who governs


def candidates(world: Json) -> tuple[list[str], list[str], str, bool] | None:
    wanted = world["request"]["model"]
    for lane in world["lanes"]:
        if wanted in (lane["id"], lane["id"].split("/")[1]):
            spare = [name for name in lane["fallback_candidates"] if name not in lane["candidates"]]
            return list(lane["candidates"]), spare, lane["reference"], False
    if any(model["id"] == wanted for model in world["catalog"]):
        return [wanted], [], wanted, True
    return None


def governing(world: Json) -> Json | str:
    asked, caller = world["request"]["overrides"], world["caller"]
    slug, number = caller["key_stack"] or caller["workspace_stack"] or "default-optimizer", None
    if asked["stack"]:
        slug, number = asked["stack"]["slug"], asked["stack"]["version"]
    shelf = [each for each in world["managed"] if each["slug"] == slug]
    if not shelf:
        shelf = [each for each in world["stacks"] if each["slug"] == slug]
    if number is not None:
        shelf = [each for each in shelf if each["version"] == number]
    if not shelf:
        return "routing_stack_not_found"
    alive = [each for each in shelf if each["status"] == "active"]
    if not alive:
        return "routing_stack_resolution_failed"
    stack = max(alive, key=lambda each: each["version"])
    if caller["allowed_stacks"] is not None and slug not in caller["allowed_stacks"]:
        return "forbidden"
    return narrowed(stack, asked)


def narrowed(stack: Json, asked: Json) -> Json | str:
    objective, checks = dict(stack["objective"]), dict(stack["verification"])
    fallback, locked = dict(stack["fallback"]), stack["locked_overrides"]
    objective["cost_mode"] = objective["cost_mode"] or IMPLIED[objective["primary"]]
    loosened = set()
    if asked["quality"]:
        if TARGETS.index(asked["quality"]) < TARGETS.index(objective["quality_target"]):
            loosened.add("quality")
        objective["quality_target"] = asked["quality"]
    if asked["cost_mode"]:
        if asked["cost_mode"] != objective["cost_mode"]:
            loosened.add("cost_mode")
        objective["cost_mode"] = asked["cost_mode"]
    if asked["latency_slo_ms"] is not None:
        limit = objective["latency_slo_ms"]
        if limit is not None and asked["latency_slo_ms"] > limit:
            loosened.add("latency_slo_ms")
        objective["latency_slo_ms"] = asked["latency_slo_ms"]
    if asked["verification"]:
        modes = [checks[name] for name in ("mode", "schema_mode", "high_stakes_mode")]
        strictest = max(STRICTER.index(mode) for mode in modes if mode)
        if STRICTER.index(asked["verification"]) < strictest:
            loosened.add("verification")
    if asked["fallback"] is not None:
        if asked["fallback"] and not fallback["enabled"]:
            loosened.add("fallback")
        fallback["enabled"] = asked["fallback"]
    if loosened & set(locked):
        return "invalid_routing_override"
    return {**stack, "objective": objective, "fallback": fallback}


# Who may serve


def judge(world: Json, stack: Json, model: Json, reserve: bool, reference: str) -> Json:
    reasons = unfit(model) + outside(world, stack, model)
    position, spoken = speaking(stack, world["profile"])
    if spoken is not None:
        reasons += ruled(position, spoken, model)
    reasons += lacking(world, model)
    row: Json = {"id": model["id"], "provider": model["id"].split("/")[0], "reserve": reserve}
    if None not in (model["base"]["input"], model["base"]["output"]):
        named = stack["objective"]["priority"]
        preferred = named if stack["objective"]["primary"] == "fixed_priority" else []
        if spoken is not None and spoken["verb"] != "refuse":
            preferred = spoken["models"]
        row |= scored(world, stack, model, place(preferred, model["id"]), reserve, reference)
        row["place"] = place(named, model["id"])
        reasons += too_dear(stack, row)
    return {**row, "reasons": sorted(reasons, key=lambda reason: ORDER.index(reason[0]))}


def unfit(model: Json) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    if model["status"] == "deprecated":
        found.append(("model_inactive", "status", "active or preview", "deprecated", "catalog"))
    if None in (model["base"]["input"], model["base"]["output"]):
        prices = "input and output prices"
        found.append(("unknown_pricing", "retailPrice", prices, "unknown", "catalog"))
    return found


def outside(world: Json, stack: Json, model: Json) -> list[tuple[str, ...]]:
    caller = world["caller"]
    found: list[tuple[str, ...]] = [
        (code, f"boundaries.{rule}", limit, actual, "stack")
        for code, rule, limit, actual in broken(stack["boundaries"], model)
    ]
    for owner in ("workspace", "key"):
        envelope = caller[f"{owner}_envelope"]
        for _, rule, limit, actual in broken(envelope, model) if envelope else []:
            found.append(("outside_envelope", f"envelope.{rule}", limit, actual, owner))
    only, vendor = world["request"]["pinned_provider"], model["id"].split("/")[0]
    if only is not None and vendor != only:
        rule = "continuation.allowedProviders"
        found.append(("provider_not_allowed", rule, only, vendor, "continuation"))
    return found


def lacking(world: Json, model: Json) -> list[tuple[str, ...]]:
    profile, found = world["profile"], list[tuple[str, ...]]()
    if not set(profile["needs"]) <= set(model["capabilities"]):
        needs, has = listed(profile["needs"]), listed(model["capabilities"])
        found.append(("missing_capability", "needs", needs, has, "request"))
    if not set(profile["modalities"]) <= set(model["input_modalities"]):
        forms, reads = listed(profile["modalities"]), listed(model["input_modalities"])
        found.append(("modality_unsupported", "modalities", forms, reads, "request"))
    if profile["untrusted"] and model["tier"] == "economy":
        trusted = "frontier, premium, standard"
        why = ("untrusted_content_floor", "untrusted_content", trusted, "economy", "request")
        found.append(why)
    length, window = profile["input_tokens"] + profile["output_tokens"], model["context_window"]
    if length > window:
        why = ("context_window_exceeded", "contextWindow", str(window), str(length), "request")
        found.append(why)
    if model["id"] in world["circuits_open"]:
        wait = max(1, ceil(Fraction(world["circuits_open"][model["id"]] - world["at"], 1_000)))
        found.append(("circuit_open", "circuit", "closed", f"open for {wait} s", "health"))
    return found


def too_dear(stack: Json, row: Json) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for code, rule, limit, actual in (
        (
            "over_max_expected_cost",
            "objective.maxExpectedCostUsd",
            stack["objective"]["cost_expected_max"],
            row["cost"],
        ),
        (
            "over_request_budget",
            "budget.perRequestMaxUsd",
            stack["request_max"],
            row["hold"],
        ),
    ):
        if limit is not None and actual > limit:
            found.append((code, rule, dollars(limit), dollars(actual), "stack"))
    return found


def broken(rules: Json, model: Json) -> list[tuple[str, str, str, str]]:
    found: list[tuple[str, str, str, str]] = []
    name, vendor = model["id"], model["id"].split("/")[0]
    allowed, blocked = rules["allowed_providers"], rules["blocked_providers"]
    if allowed is not None and vendor not in allowed:
        found.append(("provider_not_allowed", "allowedProviders", listed(allowed), vendor))
    models = rules["allowed_models"]
    if models is not None and not any(means(each, name) for each in models):
        found.append(("model_not_allowed", "allowedModels", listed(models), name))
    if vendor in blocked:
        found.append(("provider_blocked", "blockedProviders", listed(blocked), vendor))
    if any(means(each, name) for each in rules["blocked_models"]):
        found.append(("model_blocked", "blockedModels", listed(rules["blocked_models"]), name))
    asked, has = rules["required_capabilities"], model["capabilities"]
    if not set(asked) <= set(has):
        found.append(("missing_capability", "requiredCapabilities", listed(asked), listed(has)))
    data, kept = model["data_policy"], model["retention"]
    if rules["data_policy"] == "no_training" and data != "no_training":
        found.append(("data_policy_mismatch", "dataPolicy", "no_training", data))
    limit = rules["retention_policy"]
    if kept not in {"zero": ["zero"], "limited": ["zero", "limited"]}.get(limit, [kept]):
        found.append(("retention_policy_mismatch", "retentionPolicy", limit, kept))
    if model["status"] == "preview" and not rules["allow_preview"]:
        found.append(("preview_not_allowed", "allowPreview", "false", "preview"))
    return found


def speaking(stack: Json, profile: Json) -> tuple[int, Json | None]:
    if stack["objective"]["primary"] == "custom_rules":
        for position, rule in enumerate(stack["objective"]["rules"]):
            when, size = rule["when"], profile["input_tokens"]
            least, most = when["input_tokens_min"], when["input_tokens_max"]
            sets = ("categories", "action_classes", "complexities", "lanes")
            facts = ("category", "action_class", "complexity", "lane")
            if (
                all(
                    not when[each] or profile[fact] in when[each]
                    for each, fact in zip(sets, facts, strict=True)
                )
                and set(when["modifiers"]) <= set(profile["modifiers"])
                and (least is None or size >= least)
                and (most is None or size <= most)
            ):
                return position, rule
    return -1, None


def ruled(position: int, rule: Json, model: Json) -> list[tuple[str, ...]]:
    hit = any(means(each, model["id"]) for each in rule["models"])
    limit = f"{rule['verb']} {', '.join(rule['models']) or 'all'}"
    where = f"objective.rules[{position}]"
    if rule["verb"] == "use" and not hit:
        return [("model_not_allowed", where, limit, model["id"], "stack")]
    if rule["verb"] == "refuse" and (hit or not rule["models"]):
        return [("model_blocked", where, limit, model["id"], "stack")]
    return []


def means(pattern: str, name: str) -> bool:
    vendor, _, rest = pattern.partition("/")
    return pattern == name or (rest == "*" and name.startswith(f"{vendor}/"))


def place(patterns: list[str], name: str) -> int:
    for position, pattern in enumerate(patterns):
        if means(pattern, name):
            return position
    return len(patterns)


def listed(words: Any) -> str:
    return ", ".join(sorted(words)) or "none"


def dollars(nanos: int) -> str:
    whole, rest = divmod(nanos, 10**9)
    return f"{whole}.{rest:09d}".rstrip("0").rstrip(".")


# How good each is


def scored(
    world: Json, stack: Json, model: Json, preference: int, reserve: bool, reference: str
) -> Json:
    profile, objective, fallback = world["profile"], stack["objective"], stack["fallback"]
    written = max(1, profile["output_tokens"] * profile["choices"])
    cost = call(model, profile, written, world["at"])
    if (
        fallback["enabled"]
        and fallback["mode"] == "escalate_quality"
        and profile["category"] not in fallback["never_escalate_categories"]
    ):
        dearer = [each for each in world["catalog"] if each["id"] == reference]
        if dearer and all(dearer[0]["base"][part] is not None for part in ("input", "output")):
            risk = Fraction(10_000 - model["quality"], 10_000)
            cost += risk * call(dearer[0], profile, written, world["at"])
    graded = verdict(world, stack)
    latency = model["first_token_ms"] + written * 1_000 // model["tokens_per_second"]
    floor = QUALITY[objective["quality_target"]] + HARDER[profile["complexity"]]
    low = max(0, min(9_000, floor) - model["quality"])
    late = max(0, latency - (objective["latency_slo_ms"] or latency))
    weak = max(0, (objective["reliability_target"] or 0) - model["reliability"])
    names = ("below_quality_target", "over_latency_slo", "below_reliability_target")
    misses = [name for name, gap in zip(names, (low, late, weak), strict=True) if gap]
    figures: dict[str, tuple[Any, ...]] = {
        "lowest_passable": (cost,),
        "fixed": (cost,),
        "fastest_passable": (latency, cost),
        "premium": (-model["quality"], cost),
        "balanced": (cost - 5_000 * model["quality"] + 20 * latency,),
    }
    tie = (-model["quality"], model["first_token_ms"], -model["tokens_per_second"], model["id"])
    gaps = (len(misses), low, late, weak)
    # An atto is the smallest part of a dollar that is told: less is dropped before rounding.
    attos = Fraction(int(cost * 10**9), 10**9)
    room = model["context_window"] - profile["input_tokens"]
    cap = profile["output_tokens_cap"] if profile["output_tokens_cap"] is not None else CAP
    cap = max(1, min(cap, model["max_output_tokens"] or model["context_window"], room))
    return {
        "cost": round(attos) + graded,
        "latency": latency,
        "misses": misses,
        "quality": model["quality"],
        "key": (reserve, *gaps, preference, figures[objective["cost_mode"]], tie),
        "cap": cap,
        "hold": hold(model, profile, cap),
    }


# What a verifier costs, where one is asked for sure


def verdict(world: Json, stack: Json) -> int:
    """Give the nano-dollars of the dearer of two: the best judge, and the best but for that one."""
    mode = checking(world, stack)
    if not graded_for_sure(world, mode):
        return 0
    profile = world["profile"]
    size = 600 + min(profile["input_tokens"], 16_000)
    size += min(profile["output_tokens"] * profile["choices"], 8_000)
    floor = max(QUALITY[stack["objective"]["quality_target"]], 7_700 if mode == "strong" else 7_000)
    judges = [each for each in world["catalog"] if may_judge(world, stack, each, size)]
    judges.sort(
        key=lambda each: (
            max(0, floor - each["quality"]),
            grading(each["provider_price"], size, 512, world["at"]),
            each["id"],
        )
    )
    if not judges:
        return 0
    best, *rest = judges
    if mode == "strong":
        vendor = best["id"].split("/")[0]
        rest = [each for each in rest if each["id"].split("/")[0] != vendor]
    costs = [grading(each["retail_price"], size, 512, world["at"]) for each in (best, *rest[:1])]
    return round(max(costs))


def checking(world: Json, stack: Json) -> str:
    asked, rules = world["request"]["overrides"]["verification"], stack["verification"]
    found = world["profile"]["modifiers"]
    if asked:
        return str(asked)
    if "high_stakes" in found and rules["high_stakes_mode"]:
        return str(rules["high_stakes_mode"])
    if "needs_strict_schema" in found and rules["schema_mode"]:
        return str(rules["schema_mode"])
    return str(rules["mode"])


def graded_for_sure(world: Json, mode: str) -> bool:
    profile = world["profile"]
    guess = profile["confidence"] < 3_500 and profile["complexity"] in {"complex", "critical"}
    risky = "high_stakes" in profile["modifiers"] or guess
    auto = mode == "auto" and risky and not world["request"]["stream"]
    return auto or mode in {"strict", "strong"}


def may_judge(world: Json, stack: Json, model: Json, size: int) -> bool:
    caller, (position, spoken) = world["caller"], speaking(stack, world["profile"])
    layers = [stack["boundaries"], caller["workspace_envelope"], caller["key_envelope"]]
    refused = spoken is not None and spoken["verb"] == "refuse" and ruled(position, spoken, model)
    base = model["provider_price"]["base"]
    return (
        model["status"] == "active"
        and not unfit(model)
        and None not in (base["input"], base["output"])
        and not any(broken(each, model) for each in layers if each)
        and not refused
        and "structured_output" in model["capabilities"]
        and "text" in model["input_modalities"]
        and not (world["profile"]["untrusted"] and model["tier"] == "economy")
        and size + 4_096 <= model["context_window"]
        and grading(model["provider_price"], size, 4_096, world["at"]) <= 250_000_000
    )


def grading(listed: Json, size: int, written: int, at: int) -> Fraction:
    rate = rates_of(listed, size, at)
    attos = size * rate["input"] + written * max(rate["output"], rate["reasoning"])
    return Fraction(attos + rate["request"], 10**9)


def full(prices: Json) -> Json:
    """Fill the gaps: parts cost what their whole costs, the rest is free."""
    whole = {"cached_input": "input", "cache_write": "input", "reasoning": "output"}
    return {
        part: prices[whole.get(part, part)] if prices[part] is None else prices[part]
        for part in PARTS
    } | {part: prices[part] or 0 for part in ("image", "request")}


def merged(base: Json, over: Json) -> Json:
    return {part: base[part] if over[part] is None else over[part] for part in PARTS}


def call(model: Json, profile: Json, written: int, at: int) -> Fraction:
    """Give the exact nano-dollars that a call of the expected size costs at that time."""
    rate = rates_of(model, profile["input_tokens"], at)
    attos = profile["input_tokens"] * rate["input"] + written * rate["output"]
    return Fraction(attos + profile["images"] * rate["image"] + rate["request"], 10**9)


def rates_of(listed: Json, size: int, at: int) -> Json:
    prices, minute = listed["base"], at // 60_000 % 1_440
    for over in listed["overrides"]:
        begin, end = over["utc_minute_from"], over["utc_minute_until"]
        inside = begin <= minute < end if begin <= end else not end <= minute < begin
        if inside and size >= over["input_tokens_min"]:
            prices = merged(prices, over["prices"])
    return full(prices)


def hold(model: Json, profile: Json, cap: int) -> int:
    """Give the nano-dollars that no usage within the bounds can exceed, whenever it runs."""
    lists = [full(model["base"])]
    lists += [full(merged(model["base"], over["prices"])) for over in model["overrides"]]
    most = {part: max(prices[part] for prices in lists) for part in PARTS}
    attos = (
        min(profile["input_tokens_max"], model["context_window"])
        * max(most["input"], most["cached_input"], most["cache_write"])
        + cap * profile["choices"] * max(most["output"], most["reasoning"])
        + profile["images"] * most["image"]
        + most["request"]
    )
    return -int(-attos // 10**9)


# What follows


def follow(stack: Json, category: str, ranked: list[Json]) -> list[Json]:
    rules, (head, *rest) = stack["fallback"], ranked
    if not rules["enabled"]:
        return [head]
    if rules["mode"] == "same_provider":
        rest = [row for row in rest if row["provider"] == head["provider"]]
    if rules["mode"] == "fixed_order":
        rest = sorted(rest, key=lambda row: row["place"])
    if rules["mode"] == "escalate_quality" and category not in rules["never_escalate_categories"]:
        better = [row for row in rest if row["quality"] > head["quality"]]
        rest = better or rest
    return [head, *rest][: rules["max_attempts"]]
