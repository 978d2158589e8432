# ruff: noqa: RUF001, E501 - prompts in ten languages, one a line
"""Which category should each of these requests get?

In ten languages, labelled by hand before the classifier ran on them, by the hand that wrote the
vocabularies. `LABELLED` is worded plainly and must be judged as labelled. `NATURAL` is worded
as people talk, without an eye on the vocabularies: it is counted and shows how far words carry.
"""

from __future__ import annotations

from dataclasses import dataclass

from astrolabe_core.requests import (
    OutputFormat,
    Request,
    Role,
    Surface,
    Tool,
    Turn,
)
from astrolabe_core.units import Instant, RequestId


@dataclass(frozen=True)
class Row:
    """One labelled request."""

    category: str
    language: str
    turns: tuple[Turn, ...]
    tools: tuple[str, ...] = ()
    output_format: OutputFormat = OutputFormat.TEXT

    @property
    def request(self) -> Request:
        return ask(*self.turns, tools=self.tools, output_format=self.output_format)

    def __str__(self) -> str:
        return f"{self.language}: {self.turns[-1].text[:60]}"


def ask(
    *turns: Turn | str,
    tools: tuple[str, ...] = (),
    output_format: OutputFormat = OutputFormat.TEXT,
    model: str = "astrolabe/auto",
) -> Request:
    """Make a request of turns; a text is a user's turn."""
    return Request(
        id=RequestId("req_1"),
        received_at=Instant(0),
        surface=Surface.CHAT,
        model=model,
        turns=tuple(user(turn) if isinstance(turn, str) else turn for turn in turns),
        tools=tuple(Tool(name=name, schema_bytes=400) for name in tools),
        output_format=output_format,
    )


def user(text: str) -> Turn:
    return Turn(role=Role.USER, text=text)


def said(text: str, *calls: str) -> Turn:
    return Turn(role=Role.ASSISTANT, text=text, tool_calls=calls)


def system(text: str) -> Turn:
    return Turn(role=Role.SYSTEM, text=text)


def result(text: str) -> Turn:
    return Turn(role=Role.TOOL, text=text)


ARTICLE = (
    "The city council met on Tuesday to discuss the new tram line. Residents of the northern "
    "district have waited for it since 1998. The mayor said that work would begin in spring and "
    "that the first trams would run two years later. Shop owners fear for their trade while the "
    "street is closed; the council has promised them a fund. Opponents collected signatures for "
    "a vote. Engineers presented three routes, of which the middle one is the dearest and the "
    "least noisy. "
) * 4
CODE = "```python\ndef total(rows):\n    s = 0\n    for r in rows:\n        s += r['n']\n    return s\n```"
PATCH = "--- a/app.py\n+++ b/app.py\n@@ -1,3 +1,4 @@\n import os\n+import sys\n"
CODER = ("read_file", "apply_patch", "bash", "grep")

_PLAIN = """
heartbeat|en|hi
heartbeat|en|ping
heartbeat|de|Hallo
heartbeat|fr|bonjour
heartbeat|es|hola
heartbeat|pl|cześć
heartbeat|ru|привет
heartbeat|zh|你好
heartbeat|ja|こんにちは
core_loop|en|What is the capital of Australia?
core_loop|en|how many grams are in an ounce
core_loop|de|Wie hoch ist der Mont Blanc?
core_loop|fr|Quelle heure est-il à Tokyo quand il est midi à Paris ?
core_loop|es|¿Cuál es el río más largo de España?
core_loop|pt|Quantos habitantes tem Lisboa?
core_loop|it|Qual è la montagna più alta d'Italia?
core_loop|pl|Ile województw ma Polska?
core_loop|ru|Какая река самая длинная в Европе?
core_loop|zh|澳大利亚的首都是哪里？
core_loop|ja|富士山の高さはどれくらいですか？
core_loop|en|Give me three facts about octopuses
core_loop|en|What's a wire transfer protocol?
core_loop|en|data transfer object
core_loop|en|explain JSON
coding|en|Write a Python function that merges two sorted lists
coding|en|Fix the bug in the login endpoint: it throws a TypeError when the email is empty
coding|en|how do I delete a line in vim
coding|en|how do I kill a process in linux
coding|en|Refactor the setup module so that the name is read from the environment
coding|en|Why does my SQL join return duplicate rows?
coding|de|Schreibe eine Funktion in Python, die Primzahlen berechnet
coding|de|Behebe den Bug im Parser, er stürzt bei leeren Zeilen ab
coding|fr|Corrige cette fonction JavaScript qui renvoie undefined
coding|fr|Écris une classe Python pour gérer une file d'attente
coding|es|Escribe una función en JavaScript que ordene un arreglo
coding|es|Arregla el error de compilación en esta clase de Java
coding|pt|Escreva uma função em Python que conte palavras
coding|it|Scrivi una funzione in Python che inverte una stringa
coding|pl|Napisz funkcję w Pythonie, która sortuje listę
coding|ru|Напиши функцию на Python, которая сортирует список
coding|ru|Исправь ошибку в этом коде, он падает на пустой строке
coding|zh|用Python写一个函数，计算斐波那契数列
coding|zh|帮我修复这段代码里的错误
coding|ja|Pythonでリストを並べ替える関数を書いてください
coding|ja|このコードのバグを修正して
summarization|en|Summarize the plot of Hamlet in five sentences
summarization|en|tl;dr of the meeting notes please
summarization|de|Fasse den Text in drei Sätzen zusammen
summarization|fr|Résume ce texte en trois phrases
summarization|es|Resume el siguiente texto en tres frases
summarization|pt|Resuma o texto a seguir em três frases
summarization|it|Riassumi il testo seguente in tre frasi
summarization|pl|Streść poniższy tekst w trzech zdaniach
summarization|ru|Кратко перескажи этот текст
summarization|zh|请总结下面这段文字
summarization|ja|次の文章を要約してください
creative|en|Write a poem about the sea in winter
creative|en|Tell me a short story about a dragon who is afraid of fire
creative|de|Schreib mir ein Gedicht über den Herbst
creative|fr|Écris un poème sur la mer
creative|es|Escribe un cuento sobre un gato que viaja en tren
creative|pt|Escreva um poema sobre a saudade
creative|it|Scrivi una poesia sull'autunno
creative|pl|Napisz wiersz o jesieni
creative|ru|Напиши стихотворение о море
creative|zh|写一首关于春天的诗
creative|ja|春についての俳句を詠んでください
communication|en|Draft an email to my team about the new office hours
communication|en|Write a polite reply declining the invitation
communication|de|Schreibe eine E-Mail an meinen Vermieter wegen der Heizung
communication|fr|Rédige un courriel à mon équipe pour annoncer la réunion
communication|es|Escribe un correo para agradecer a un cliente
communication|pt|Escreva uma carta de agradecimento a um cliente
communication|it|Scrivi una lettera di ringraziamento a un cliente
communication|pl|Napisz maila do zespołu o nowych godzinach pracy
communication|ru|Напиши письмо коллегам о переносе встречи
communication|zh|帮我写一封邮件给客户，说明发货延迟
communication|ja|取引先にお礼のメールを書いてください
communication|en|Translate this sentence into French: The train leaves at noon.
planning|en|Make a roadmap with milestones for launching a podcast in three months
planning|en|Plan a five day itinerary for Lisbon with small children
planning|de|Erstelle einen Zeitplan mit Meilensteinen für den Umzug
planning|fr|Planifie un itinéraire de cinq jours en Bretagne
planning|es|Crea un cronograma para organizar una boda en seis meses
planning|pt|Faça um roteiro de cinco dias em Lisboa
planning|it|Pianifica un itinerario di tre giorni a Roma
planning|pl|Zaplanuj harmonogram remontu mieszkania
planning|ru|Составь план подготовки к марафону на три месяца
planning|zh|帮我制定一个三个月的学习计划
planning|ja|京都三日間の旅程を計画してください
research|en|Research the current state of solid state batteries and cite your sources
research|en|Compare the pension systems of Sweden and the Netherlands in depth
research|de|Recherchiere den Stand der Wasserstofftechnik und nenne Quellen
research|fr|Compare les systèmes de santé français et suédois et cite les sources
research|es|Investiga las causas de la inflación y cita fuentes
research|pt|Pesquise as causas da inflação e cite fontes
research|it|Confronta i sistemi sanitari italiano e francese con fonti
research|pl|Porównaj systemy emerytalne Polski i Szwecji, podaj źródła
research|ru|Сравни пенсионные системы Швеции и Нидерландов, приведи источники
research|zh|调研固态电池的最新进展并列出文献
research|ja|全固体電池の最新動向を調査して比較してください
reflection|en|Write a retrospective of our last sprint: what went well, lessons learned
reflection|de|Reflektiere über meine Entscheidung, den Beruf zu wechseln
reflection|en|Critique my argument and reflect on its weaknesses
high_stakes|en|Should I stop taking warfarin before my surgery next week?
high_stakes|en|What dose of ibuprofen can I give my 4 year old child?
high_stakes|en|Transfer $5,000 from my savings to IBAN DE89370400440532013000
high_stakes|en|Drop the production database and delete all backups
high_stakes|en|Should I sign this employment contract with a non-compete clause?
high_stakes|en|Can I sue my landlord for the deposit?
high_stakes|en|My son swallowed bleach, what should I do?
high_stakes|de|Überweise 2.000 Euro an meinen Bruder
high_stakes|de|Lösche alle Tabellen in der produktiven Datenbank
high_stakes|de|Darf ich als Schwangere Ibuprofen einnehmen, und in welcher Dosis?
high_stakes|fr|Dois-je signer ce contrat ou consulter un avocat ?
high_stakes|es|¿Puedo tomar ibuprofeno con antibiótico?
high_stakes|pt|Devo assinar este contrato de trabalho?
high_stakes|it|Posso prendere ibuprofene con l'antibiotico?
high_stakes|pl|Usuń bazę danych na produkcji
high_stakes|ru|Удали базу данных на проде
high_stakes|ru|Можно ли давать ибупрофен ребёнку и какую дозу?
high_stakes|zh|删除生产环境的数据库
high_stakes|ja|本番データベースのテーブルを全部削除して
"""

_NATURAL = """
core_loop|en|my cat keeps waking me at 4am, any ideas?
core_loop|en|who painted the girl with a pearl earring
core_loop|en|can I put a subquery in the WHERE clause?
core_loop|en|can I book a tennis court online in Vienna
core_loop|en|Suicide Squad or The Dark Knight, which one first?
core_loop|de|Kann ich das Gericht im Ofen aufwärmen?
core_loop|en|Why did users drop off after production moved to Mexico?
core_loop|en|Can I pay with dollars in Mexico?
core_loop|ru|Посоветуй хороший фильм на вечер
core_loop|zh|推荐一部好看的电影
core_loop|es|¿Qué me recomiendas para cenar hoy?
coding|en|my jest tests hang when I mock fetch
coding|en|is there a nicer way to write a nested ternary in kotlin
coding|en|Implement transfer(from_account, to_account, amount) with tests
coding|de|Warum bekomme ich einen KeyError bei df['name']?
coding|es|me da un segfault al liberar la memoria dos veces
coding|ja|Reactのコンポーネントが再描画されない
coding|pl|jak posortować słownik po wartościach w pythonie
coding|en|convert this cron expression to systemd timer syntax
summarization|en|give me the gist of the attached minutes in two lines
summarization|it|fammi un riassunto del capitolo 3
summarization|ru|о чём эта статья, в двух предложениях
creative|en|I need a funny toast for my brother's wedding
creative|de|Denk dir einen Namen für ein Café am Fluss aus
creative|fr|invente une berceuse pour ma nièce
creative|zh|给我的猫起十个有趣的名字
communication|en|how should I word a message to a colleague who missed a deadline
communication|de|Antworte höflich, dass ich am Freitag keine Zeit habe
communication|ja|上司に休暇をお願いする文面を考えて
communication|en|tell my landlord in writing that the heating is broken
planning|en|I have 10 days and 2000 euros for Japan, what would a good route look like?
planning|it|organizzami una settimana di pasti vegetariani
research|en|what does the evidence say about intermittent fasting and longevity
research|fr|fais un état de l'art sur les batteries sodium-ion
reflection|en|what could I have done differently in that negotiation?
high_stakes|en|I have crushing chest pain and my left arm is numb
high_stakes|en|wire 12k to the supplier in Shenzhen today
high_stakes|fr|Mon fils a avalé de l'eau de javel, que faire ?
high_stakes|en|nuke the prod cluster, we are moving off it
high_stakes|de|Soll ich Widerspruch gegen die Kündigung einlegen oder den Anwalt fragen?
"""


def _rows(lines: str) -> tuple[Row, ...]:
    split = [line.split("|") for line in lines.strip().splitlines()]
    return tuple(Row(category, language, (user(text),)) for category, language, text in split)


NATURAL: tuple[Row, ...] = _rows(_NATURAL)

LABELLED: tuple[Row, ...] = (
    *_rows(_PLAIN),
    Row("summarization", "en", (user(f"Summarize this article:\n\n{ARTICLE}"),)),
    Row("summarization", "de", (user(f"{ARTICLE}\n\nFasse das in zwei Sätzen zusammen."),)),
    Row("retrieval", "en", (user(f"Context:\n\n{ARTICLE}\n\nWhich route is the dearest?"),)),
    Row(
        "retrieval", "fr", (user(f"{ARTICLE}\n\nD'après le texte, quand commencent les travaux ?"),)
    ),
    Row("retrieval", "en", (user("Which policy covers lost luggage?"),), ("search_documents",)),
    Row("coding", "en", (user(f"{CODE}\n\nmake it faster"),)),
    Row("coding", "en", (user(f"review\n\n{PATCH}"),)),
    Row("coding", "pl", (user(f"{CODE}\n\nco tu jest nie tak?"),)),
    Row("coding", "en", (user("the button is off by a pixel"),), CODER),
    Row("coding", "ru", (user("кнопка съехала, посмотри"),), CODER),
    Row("coding", "en", (user("run it"), said("", "bash"), result("3 failed")), CODER),
    Row(
        "core_loop",
        "en",
        (user("Is it raining in Oslo?"), said("", "get_weather"), result("rain")),
        ("get_weather",),
    ),
    Row("research", "en", (user("latest news on the tram line"),), ("web_search", "open_url")),
    Row(
        "orchestration",
        "en",
        (user("Split this among the helpers and merge what they find"),),
        ("spawn_subagent", "delegate_to_agent"),
    ),
    Row(
        "coding",
        "en",
        (user("Refactor the billing module into three classes"), said("Shall I?"), user("yes")),
    ),
    Row(
        "creative", "de", (user("Schreib ein Gedicht über Nebel"), said("Wie lang?"), user("kurz"))
    ),
    Row(
        "core_loop",
        "en",
        (user("Fix the parser bug in this module"), said("Done."), user("thanks")),
    ),
)
