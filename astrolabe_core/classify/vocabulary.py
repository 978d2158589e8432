# ruff: noqa: RUF001 - Cyrillic looks like Latin
"""Which words tell how the caller speaks, and what kind of work is wanted?

For each sense the words of each language: `word` is one word, `two_words` are two in a row. In
Chinese and Japanese, which put no spaces, an entry is found anywhere in the text. Words with
many other meanings stand here only as part of a pair: a clause may be one of SQL, a court one
for tennis, a novel idea no novel. A word is evidence and never proof.
"""

from collections.abc import Mapping
from typing import Final

from astrolabe_core.classify.senses import Sense

KINDS: Final[Mapping[Sense, Mapping[str, str]]] = {
    Sense.GREETING: {
        "en": "hi hello hey ping test yo heartbeat",
        "de": "hallo moin servus",
        "fr": "bonjour salut coucou",
        "es": "hola buenas",
        "pt": "olá oi",
        "it": "ciao salve",
        "pl": "cześć hej witaj",
        "ru": "привет здравствуйте пинг тест",
        "zh": "你好 您好 在吗 测试",
        "ja": "こんにちは テスト もしもし",
    },
    Sense.APPROVAL: {
        "en": "yes yep yeah yup ok okay sure go_ahead proceed continue approved confirm lgtm do_it",
        "de": "ja jo jawohl klar passt weiter mach_das einverstanden",
        "fr": "oui ouais vas_y allez continue d_accord",
        "es": "sí si vale claro adelante sigue dale continúa",
        "pt": "sim claro pode_ser prossiga continue segue beleza",
        "it": "sì si certo procedi avanti va_bene continua",
        "pl": "tak dobrze jasne dalej kontynuuj zgoda śmiało",
        "ru": "да ага хорошо давай ладно продолжай конечно ок",
        "zh": "好的 是的 继续 没问题 同意 就这样",
        "ja": "はい お願いします いいよ 続けて 了解",
    },
    Sense.THANKS: {
        "en": "thanks thank thx bye goodbye",
        "de": "danke dankeschön tschüss",
        "fr": "merci",
        "es": "gracias adiós",
        "pt": "obrigado obrigada",
        "it": "grazie",
        "pl": "dzięki dziękuję",
        "ru": "спасибо пока",
        "zh": "谢谢 感谢 再见",
        "ja": "ありがとう どうも",
    },
    Sense.TALK: {
        "en": "what_is what_s what_are what_does what_do explain define meaning_of how_does "
        "why_is why_did why_do why_does difference_between tell_me the_word the_term what_was "
        "who_was history_of",
        "de": "was_ist was_sind was_bedeutet was_heißt erkläre erklär das_wort",
        "fr": "qu_est explique expliquez c_est que_signifie différence_entre le_mot définis",
        "es": "qué_es qué_son qué_significa explica explícame diferencia_entre la_palabra",
        "pt": "o_que explica explique diferença_entre a_palavra que_significa como_funciona",
        "it": "che_cos cos_è che_cosa spiega spiegami differenza_tra la_parola come_funziona",
        "pl": "co_to czym_jest co_oznacza wyjaśnij wytłumacz różnica_między słowo",
        "ru": "что_такое что_значит что_означает объясни объясните расскажи разница_между слово",
        "zh": "什么是 是什么 解释 什么意思 的区别 介绍一下",
        "ja": "とは何 とは 説明して 意味 違いは って何",
    },
    Sense.DECIDE: {
        "en": "should_i should_we can_i can_we may_i must_i am_i do_i could_i i_should i_can "
        "we_should safe_to advise recommend diagnose",
        "de": "soll_ich sollte_ich sollen_wir darf_ich kann_ich muss_ich können_wir bin_ich",
        "fr": "dois_je puis_je devrais_je est_ce devons_nous",
        "es": "debo debería puedo debemos puede_mi me_conviene",
        "pt": "devo deveria posso devemos",
        "it": "devo dovrei posso dobbiamo",
        "pl": "czy_mogę czy_powinienem czy_powinnam powinienem powinnam mogę muszę",
        "ru": "можно_ли стоит_ли должен_ли нужно_ли мне_делать можно_мне что_делать",
        "zh": "应该 可以吗 能不能 该不该 要不要 我该 怎么办",
        "ja": "べきです べきか てもいい どうすれば 大丈夫",
    },
    Sense.PERSON: {
        "en": "my_child my_son my_daughter my_baby my_wife my_husband my_mother my_father "
        "my_chest he_took she_took swallowed old_child year_old month_old pregnant my_toddler",
        "de": "mein_kind meine_tochter mein_sohn meine_mutter mein_vater schwanger mein_baby",
        "fr": "mon_enfant ma_fille mon_fils ma_mère mon_père enceinte",
        "es": "mi_hijo mi_hija mi_madre mi_padre embarazada",
        "pt": "meu_filho minha_filha minha_mãe meu_pai grávida",
        "it": "mio_figlio mia_figlia mia_madre mio_padre incinta",
        "pl": "moje_dziecko mój_syn moja_córka ciąży",
        "ru": "мой_сын моя_дочь ребёнок ребенок ребёнку ребенку беременна",
        "zh": "我的孩子 孩子 我妈 我爸 怀孕",
        "ja": "子供 子ども 妊娠",
    },
    Sense.SELF: {
        "en": "i_have i_took i_feel i_swallowed i_drank i_want myself",
        "de": "ich_habe ich_nahm ich_fühle ich_will",
        "fr": "j_ai je_me je_veux",
        "es": "tengo tomé quiero",
        "pt": "tenho tomei quero",
        "it": "ho voglio preso",
        "pl": "mam wziąłem wzięłam chcę",
        "ru": "у_меня я_принял я_приняла хочу",
        "zh": "我有 我吃了 我想",
        "ja": "私は 飲んで 飲みました",
    },
    Sense.CHEAP: {
        "en": "cheap_model cheapest_model cheaper_model save_tokens few_tokens fewest_tokens "
        "minimal_cost as_cheaply",
        "de": "billiges_modell günstiges_modell günstigstes_modell wenig_tokens tokens_sparen",
        "fr": "modèle_économique économise_tokens",
        "es": "modelo_barato modelo_económico ahorra_tokens",
        "pt": "modelo_barato modelo_econômico poupe_tokens",
        "it": "modello_economico risparmia_token",
        "pl": "tani_model najtańszy_model",
        "ru": "дешёвая_модель дешевую_модель дешёвую_модель",
        "zh": "便宜的模型 省钱 节省token",
        "ja": "安いモデル トークンを節約",
    },
    Sense.CODE: {
        "en": "code function class bug python javascript typescript rust java golang sql regex "
        "api compile compiler compiles unittest pytest endpoint stacktrace traceback "
        "exception repo repository script css html dockerfile kubernetes linux bash vim git "
        "docker async algorithm codebase parser module unit_test unit_tests pull_request "
        "react django variable method bugs functions classes postgres typeerror nullpointer "
        "segfault kotlin swift php ruby npm cargo terraform ansible cron systemd jest nodejs "
        "numpy pandas middleware backend frontend",
        "de": "funktion klasse skript methode algorithmus schnittstelle quelltext modul codebasis",
        "fr": "fonction classe bogue algorithme méthode",
        "es": "función clase código algoritmo método programa",
        "pt": "função classe código algoritmo método programa",
        "it": "funzione classe codice algoritmo metodo",
        "pl": "funkcję funkcja funkcji klasę klasa kod kodu błąd skrypt moduł",
        "ru": "код кода функция функцию класс скрипт алгоритм ошибку модуль баг",
        "zh": "代码 函数 编程 脚本 算法 接口 程序 模块 类的",
        "ja": "コード 関数 クラス バグ プログラム スクリプト アルゴリズム モジュール",
    },
    Sense.CHANGE: {
        "en": "refactor refactoring refactored implement implementing fix debug rewrite rename "
        "migrate migrating optimize optimise deploy patch add_tests convert write_a build_a "
        "create_a add_a make_it",
        "de": "refaktoriere refaktorisiere refaktorieren behebe korrigiere schreibe schreib "
        "programmiere ändere umbenennen benenne implementiere migriere",
        "fr": "corrige corriger écris implémente réécris ajoute refactorise renomme",
        "es": "corrige arregla escribe reescribe implementa refactoriza añade renombra crea",
        "pt": "corrija corrige escreva reescreva implemente refatore adicione renomeie crie",
        "it": "correggi scrivi riscrivi implementa rifattorizza aggiungi rinomina crea",
        "pl": "napraw popraw napisz przepisz zaimplementuj zrefaktoryzuj dodaj zrefaktoruj",
        "ru": "исправь напиши перепиши реализуй добавь рефактори рефакторинг отрефактори "
        "исправить написать",
        "zh": "重构 修复 实现 重写 修改 编写 写一个 优化 添加",
        "ja": "リファクタ 修正 実装 書き直 書いて 追加して 直して",
    },
    Sense.SUMMARY: {
        "en": "summarize summarise summarizing summary summaries tldr tl_dr condense shorten "
        "key_points recap abridge",
        "de": "zusammenfassung zusammenfassen fasse fass kürze stichpunkte zusammengefasst",
        "fr": "résume résumer résumé résumez synthétise condense",
        "es": "resume resumen resumir resúmeme sintetiza",
        "pt": "resuma resumo resumir sintetize",
        "it": "riassumi riassunto riassumere sintetizza",
        "pl": "streść podsumuj podsumowanie streszczenie",
        "ru": "резюмируй суммируй перескажи кратко обобщи резюме",
        "zh": "总结 概括 摘要 归纳",
        "ja": "要約 まとめて 要点",
    },
    Sense.RESEARCH: {
        "en": "research investigate compare comparison literature_review state_of survey sources "
        "cite citations evaluate market_analysis analyze analyse in_depth evidence_for",
        "de": "recherchiere recherche vergleiche vergleich untersuche analysiere quellen",
        "fr": "recherche compare comparez analyse sources étudie enquête",
        "es": "investiga compara analiza fuentes investigación",
        "pt": "pesquise compare analise fontes pesquisa",
        "it": "ricerca confronta analizza fonti",
        "pl": "zbadaj porównaj przeanalizuj źródła porównanie",
        "ru": "исследуй сравни проанализируй источники исследование анализ",
        "zh": "研究 比较 分析 调研 对比 文献",
        "ja": "調査 比較 分析 調べて 文献 研究",
    },
    Sense.PLAN: {
        "en": "plan roadmap milestones itinerary schedule strategy step_by timeline",
        "de": "plane_mir plane_eine plane_einen fahrplan meilensteine zeitplan strategie reiseplan",
        "fr": "planifie feuille_de étapes stratégie itinéraire calendrier",
        "es": "planifica planea hitos estrategia itinerario cronograma",
        "pt": "planeje plano marcos estratégia roteiro cronograma",
        "it": "pianifica piano tappe strategia itinerario",
        "pl": "zaplanuj harmonogram strategia",
        "ru": "спланируй план дорожную стратегию график",
        "zh": "计划 规划 路线图 行程 方案",
        "ja": "計画 予定 ロードマップ 旅程 戦略",
    },
    Sense.CREATIVE: {
        "en": "poem poems story lyrics haiku limerick fiction sonnet screenplay fairy_tale song "
        "a_novel my_novel the_novel novel_titled novel_about brainstorm slogan joke",
        "de": "gedicht eine_geschichte roman märchen liedtext witz kurzgeschichte",
        "fr": "poème roman conte chanson blague une_histoire",
        "es": "poema cuento novela canción chiste una_historia",
        "pt": "poema romance canção piada uma_história um_conto",
        "it": "poesia racconto romanzo canzone barzelletta una_storia",
        "pl": "wiersz opowiadanie powieść bajkę bajka piosenkę",
        "ru": "стихотворение стих рассказ роман сказку сказка песню шутку",
        "zh": "诗 故事 小说 歌词 童话 笑话",
        "ja": "詩 物語 小説 歌詞 童話 俳句",
    },
    Sense.MESSAGE: {
        "en": "email mail letter reply newsletter tweet linkedin cover_letter draft_a invitation "
        "announcement e_mail translate translation proofread press_release rephrase",
        "de": "brief schreiben antworte einladung übersetze übersetzung formuliere korrekturlesen",
        "fr": "courriel lettre réponds invitation traduis traduire traduction courrier",
        "es": "correo carta responde invitación traduce traducir traducción",
        "pt": "carta responda convite traduza traduzir tradução",
        "it": "lettera rispondi invito traduci tradurre traduzione",
        "pl": "wiadomość odpowiedz zaproszenie przetłumacz maila",
        "ru": "письмо ответь приглашение переведи перевод перевести",
        "zh": "邮件 写信 封信 回复 邀请函 翻译",
        "ja": "メール 手紙 返信 招待状 翻訳",
    },
    Sense.REFLECT: {
        "en": "reflect reflection retrospective postmortem critique lessons_learned self_review "
        "introspect what_went second_opinion think_about",
        "de": "reflektiere rückblick selbstkritik nachdenken retrospektive",
        "fr": "réfléchis bilan autocritique rétrospective",
        "es": "reflexiona reflexión retrospectiva autocrítica",
        "pt": "reflita reflexão retrospectiva autocrítica",
        "it": "rifletti riflessione retrospettiva autocritica",
        "pl": "zastanów refleksja retrospektywa",
        "ru": "поразмышляй рефлексия ретроспектива самокритика",
        "zh": "反思 复盘 自我批评",
        "ja": "振り返 反省 内省",
    },
    Sense.DELEGATE: {
        "en": "subagent subagents delegate orchestrate in_parallel coordinate agents hand_off",
        "de": "delegiere orchestriere koordiniere agenten",
        "fr": "délègue orchestre coordonne",
        "es": "delega orquesta coordina agentes",
        "pt": "delegue orquestre coordene agentes",
        "it": "delega orchestra coordina agenti",
        "pl": "deleguj koordynuj agentów",
        "ru": "делегируй координируй агентов",
        "zh": "委派 协调 子代理",
        "ja": "委任 調整して サブエージェント",
    },
    Sense.SOURCE: {
        "en": "according_to the_document the_context context passage based_on the_text attached "
        "the_contract following_text the_article knowledge_base the_manual the_report",
        "de": "laut dokument kontext im_text anhang basierend_auf handbuch",
        "fr": "selon document contexte le_texte d_après pièce_jointe",
        "es": "según documento contexto el_texto adjunto",
        "pt": "segundo documento contexto o_texto anexo",
        "it": "secondo documento contesto il_testo allegato",
        "pl": "według dokument kontekst tekście załącznik",
        "ru": "согласно документ документе контекст тексте",
        "zh": "根据 文档 上下文 文中 附件",
        "ja": "によると 文書 文脈 本文 添付",
    },
    Sense.PROOF: {
        "en": "prove a_proof proof_that proof_by theorem lemma by_induction irrational derive_the",
        "de": "beweise satz_von lemma zeige_dass",
        "fr": "démontre prouve théorème preuve démontrer",
        "es": "demuestra demostración teorema demostrar",
        "pt": "demonstre prove teorema demonstração",
        "it": "dimostra teorema dimostrazione",
        "pl": "udowodnij dowód twierdzenie",
        "ru": "докажи докажите доказательство теорема теорему",
        "zh": "证明 定理 引理 推导",
        "ja": "証明 定理 補題",
    },
}
