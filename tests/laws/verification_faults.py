"""Which faults of verification must its tests catch?

Rows like those of `policy_faults.py`: one small and plausible mistake each, and the tests of
`tests/core` that must each see it.
"""

from __future__ import annotations

from tests.laws.faults import Fault

CHECKS = "astrolabe_core/checks.py"
CONFORMITY = "astrolabe_core/conformity.py"
GRADING = "astrolabe_core/grading.py"
REPAIR = "astrolabe_core/repair.py"
VERIFICATION = "astrolabe_core/verification.py"
VERIFIER = "astrolabe_core/verifier.py"

EACH_CHECK = "test_each_check_finds_what_it_is_for"
TABLE = "test_what_follows_from_a_verdict"
STRONG = "test_strong_delivers_nothing_that_no_verifier_trusts"
ALONE = "test_what_is_cut_short_broken_within_or_not_one_value_is_left_alone"
TAKEN_OFF = "test_what_was_put_around_one_value_is_taken_off"
WRAPPER = "test_a_wrapper_of_one_key_or_one_item_is_taken_off"
CLAIMS = "test_each_text_and_each_call_with_a_schema_is_one_claim"
GRADES = "test_only_an_exact_grade_is_one"
SIMPLY = "test_a_verifier_that_did_not_simply_answer_gave_no_grade"
BOUNDS = "test_a_question_stays_within_its_bounds"
DOCUMENT = "test_the_document_says_what_was_asked_and_what_was_answered"
AUTO = "test_auto_asks_for_risk_a_mended_schema_an_effect_and_a_guess"
LAYERS = "test_a_verifier_obeys_every_layer"
CANNOT = "test_who_cannot_judge_is_not_asked"

VERIFICATION_FAULTS = (
    # --- checks ---
    Fault(
        "an answer without a finish is finished",
        CHECKS,
        "case Finish.ERROR | Finish.UNKNOWN:",
        "case Finish.ERROR:",
        (EACH_CHECK,),
    ),
    Fault(
        "whoever set a cap is taken to have reached it",
        CHECKS,
        "return usage is None or usage.output_tokens * 10 >= cap * 9",
        "return True",
        (EACH_CHECK,),
    ),
    Fault(
        "a call of a tool of another type is one of a strange function",
        CHECKS,
        "if call.name and call.name not in known]",
        "if call.name not in known]",
        (EACH_CHECK,),
    ),
    Fault(
        "a call of what nobody offered passes",
        CHECKS,
        "    if all(call.name in known for call in strange):",
        "    if any(call.name not in known for call in strange) or not strange:",
        (EACH_CHECK,),
    ),
    Fault(
        "a refusal is held to a required tool",
        CHECKS,
        "        and answer.refusal is None\n        and answer.finish not in",
        "        and answer.finish not in",
        (EACH_CHECK,),
    ),
    Fault(
        "a provider's name for a tool is told",
        CHECKS,
        'f"tool {call.name}" if offered else "a tool that was not offered"',
        'f"tool {call.name}"',
        ("test_no_finding_says_a_word_of_the_answer",),
    ),
    Fault(
        "one good choice is enough",
        CHECKS,
        "or all(is_json(text, request)",
        "or any(is_json(text, request)",
        (EACH_CHECK,),
    ),
    # --- repair ---
    Fault(
        "what an open bracket holds is taken for the value",
        REPAIR,
        "        if end is None or len(spans) == _SPANS_MAX:\n            return iter(())",
        "        if end is None:\n            start = opening.end()\n            continue",
        (ALONE,),
    ),
    Fault(
        "of two values the last is meant",
        REPAIR,
        "        if value is not None and found is not None:\n            return None\n",
        "",
        (ALONE,),
    ),
    Fault(
        "brackets need not match",
        REPAIR,
        "            if expected.pop() != mark:\n                return None\n",
        "            expected.pop()\n",
        (ALONE,),
    ),
    Fault(
        "commas in strings go too",
        REPAIR,
        r'return _LATE_COMMA.sub(r"\1", text)',
        r'return re.sub(r",(?=\\s*[}\\]])", "", text)',
        ("test_commas_and_fences_within_strings_stay",),
    ),
    Fault(
        "words around a fence stay",
        REPAIR,
        "    if fenced is not None:\n",
        "    if fenced is not None and text.startswith('`'):\n",
        (TAKEN_OFF,),
    ),
    Fault(
        "NaN is a number",
        REPAIR,
        "json.loads(text, parse_constant=_refuse)",
        "json.loads(text)",
        (ALONE, EACH_CHECK),
    ),
    Fault(
        "every value of an object is inside it",
        REPAIR,
        "    return inner if parses(inner) else None",
        "    return inner",
        (WRAPPER,),
    ),
    # --- conformity ---
    Fault(
        "what was cut short is held against its schema",
        CONFORMITY,
        "    if answer.finish is Finish.LENGTH:\n        return ()\n    schemas",
        "    schemas",
        (CLAIMS,),
    ),
    Fault(
        "a caller's own text is mended behind its back",
        CONFORMITY,
        "texts=candidates(text) if mendable else (text,)",
        "texts=candidates(text)",
        ("test_what_the_caller_has_already_is_not_mended",),
    ),
    Fault(
        "one refusal excuses all choices",
        CONFORMITY,
        "if each[1].strip()) if len(texts) > 1 else ()",
        "if each[1].strip()) if len(texts) > 9 else ()",
        (CLAIMS, EACH_CHECK),
    ),
    # --- verification ---
    Fault(
        "a missing grade fails open",
        VERIFICATION,
        "    if grade is None or unchecked(verdict):\n        return False",
        "    if grade is None or unchecked(verdict):\n        return grade is None",
        (TABLE, STRONG),
    ),
    Fault(
        "a grade makes up for a schema that nobody checked",
        VERIFICATION,
        "    if grade is None or unchecked(verdict):",
        "    if grade is None:",
        (TABLE, STRONG),
    ),
    Fault(
        "strong takes what its stack takes",
        VERIFICATION,
        "        return not doubted and grade.confidence >= STRONG_CONFIDENCE_MIN",
        "        return not doubted or grade.confidence >= STRONG_CONFIDENCE_MIN",
        (STRONG,),
    ),
    Fault(
        "strict delivers what is poor",
        VERIFICATION,
        "    return not doubted or grade.confidence >= ACCEPTABLE_CONFIDENCE_MIN",
        "    return True",
        (TABLE,),
    ),
    Fault(
        "a good grade makes a broken answer deliverable",
        VERIFICATION,
        "    if serious(verdict) is not None:\n        return False",
        "    if serious(verdict) is not None and verdict.grade is None:\n        return False",
        (TABLE,),
    ),
    Fault(
        "the threshold itself is not enough",
        VERIFICATION,
        "    if grade.confidence >= enough:",
        "    if grade.confidence > enough:",
        ("test_a_stack_says_how_much_is_enough_and_strong_never_takes_less_than_a_4",),
    ),
    Fault(
        "a doubt is all that is told of an answer cut short",
        VERIFICATION,
        "    certain = [found.trigger for found in verdict.findings if found.check in _LIGHTER]",
        "    certain = [f.trigger for f in verdict.findings if not verdict.grade]",
        (TABLE,),
    ),
    Fault(
        "an answer may buy its score",
        VERIFICATION,
        "score = 1 if Concern.MANIPULATED in self.concerns else self.score",
        "score = self.score",
        ("test_an_answer_that_steers_its_judge_is_not_trusted_however_good_its_score",),
    ),
    Fault(
        "what could not be checked need not be JSON",
        VERIFICATION,
        "    if _first_json(claim) is None:\n        return",
        "    if found.checked and _first_json(claim) is None:\n        return",
        ("test_what_was_found_of_a_schema_decides",),
    ),
    # --- grading ---
    Fault(
        "a grade may be fenced",
        GRADING,
        "json.loads(answer.texts[0], object_pairs_hook=_once)",
        "json.loads(answer.texts[0].strip('`json\\n'), object_pairs_hook=_once)",
        (GRADES,),
    ),
    Fault(
        "a grade may say more",
        GRADING,
        '"concerns": list(named), **rest} if not rest:',
        '"concerns": list(named)}:',
        (GRADES,),
    ),
    Fault(
        "the last of two scores counts",
        GRADING,
        "    if len(made) != len(pairs):\n",
        "    if len(made) > len(pairs):\n",
        (GRADES,),
    ),
    Fault(
        "a concern that nobody knows is left out",
        GRADING,
        "    if len(concerns) != len(named) or len(set(concerns)) != len(concerns):",
        "    if len(set(concerns)) != len(concerns):",
        (GRADES,),
    ),
    Fault(
        "a verdict may be cut short",
        GRADING,
        "    if answer.finish is not Finish.STOP or answer.tool_calls",
        "    if answer.tool_calls",
        (SIMPLY,),
    ),
    Fault(
        "an answer is written into the document as it is",
        GRADING,
        "    document = json.dumps(_document(request, answer), ensure_ascii=False, "
        'separators=(",", ":"))',
        "    document = json.dumps(_document(request, answer), ensure_ascii=False, "
        'separators=(",", ":")).replace("\\\\\\\\\\"", "\\"")',
        ("test_what_an_answer_says_to_its_judge_stays_a_string_in_the_document",),
    ),
    Fault(
        "the whole text is sent, however long",
        GRADING,
        "    if _size(text, bytes_max) <= bytes_max:",
        "    if _size(text, bytes_max) >= 0:",
        (BOUNDS,),
    ),
    Fault(
        "bounds count characters",
        GRADING,
        'else len(text.encode("utf-8", "replace"))',
        "else len(text)",
        (BOUNDS,),
    ),
    Fault(
        "pictures are not told of",
        GRADING,
        '        "images": turn.images,',
        '        "images": 0,',
        (DOCUMENT,),
    ),
    # --- verifier ---
    Fault(
        "a plain chat is judged",
        VERIFIER,
        "    return found.confidence < CLASSIFIER_CONFIDENCE_MIN and found.complexity in _HARD",
        "    return found.confidence < CLASSIFIER_CONFIDENCE_MIN",
        (AUTO, "test_auto_asks_for_few_of_the_labelled_requests_and_for_no_plain_question"),
    ),
    Fault(
        "much at stake is no reason",
        VERIFIER,
        "    if Modifier.HIGH_STAKES in found.modifiers:\n",
        "    if found.modifiers is None:\n",
        (AUTO, "test_only_what_is_known_beforehand_makes_a_verifier_certain"),
    ),
    Fault(
        "an effect is no reason",
        VERIFIER,
        "                or not CONSEQUENTIAL.isdisjoint(labels)\n",
        "",
        (AUTO,),
    ),
    Fault(
        "a verifier obeys the stack's layer only",
        VERIFIER,
        "if layer.name is not LayerName.CONTINUATION)",
        "if layer.name is LayerName.STACK)",
        (LAYERS,),
    ),
    Fault(
        "a verifier obeys no layer",
        VERIFIER,
        "        and not standing(model, layers)\n",
        "",
        (LAYERS,),
    ),
    Fault(
        "strong asks the answerer's own provider",
        VERIFIER,
        "bid[2] not in asked and bid[3].provider != barred",
        "bid[2] not in asked and (not barred or bid[2] != answerer.id)",
        ("test_strong_asks_another_provider_or_nobody",),
    ),
    Fault(
        "an open circuit is asked",
        VERIFIER,
        "        if model.id in bench.circuits_open:",
        "        if model.id is None:",
        ("test_who_was_asked_or_has_an_open_circuit_is_left_out",),
    ),
    Fault(
        "the verdict needs no room",
        VERIFIER,
        "        if bench.input_tokens + OUTPUT_TOKENS_MAX > model.context_window:",
        "        if bench.input_tokens > model.context_window:",
        (CANNOT,),
    ),
    Fault(
        "a verdict may cost anything",
        VERIFIER,
        "if rate is None or round_up(_cost(rate, bench, OUTPUT_TOKENS_MAX)) > COST_MAX:",
        "if rate is None:",
        ("test_nobody_is_asked_who_could_cost_more_than_the_bound",),
    ),
    Fault(
        "the dearest judge is asked",
        VERIFIER,
        "        expected = _cost(rate, bench, _OUTPUT_TOKENS_EXPECTED)",
        "        expected = AttoUsd(-_cost(rate, bench, _OUTPUT_TOKENS_EXPECTED))",
        ("test_the_cheapest_that_is_good_enough_is_asked_and_ties_go_by_name",),
    ),
    Fault(
        "a poor judge is as good as any",
        VERIFIER,
        "max(0, floor - quality)",
        "0",
        ("test_the_cheapest_that_is_good_enough_is_asked_and_ties_go_by_name",),
    ),
)
