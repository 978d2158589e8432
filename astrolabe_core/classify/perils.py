"""Which words tell that a mistake would cost much?

Two families that must meet: what it is about (medicine, law, money, production, danger) and
what is to be done (a dose, a signature, a payment, a deletion). Neither alone says anything:
see `astrolabe_core.classify.stakes`. The syntax of entries is that of `vocabulary`.
"""

from collections.abc import Mapping
from typing import Final

from astrolabe_core.classify.senses import Sense

PERILS: Final[Mapping[Sense, Mapping[str, str]]] = {
    Sense.MEDICINE: {
        "en": "symptom symptoms chest_pain diagnosis diagnoses medication medications ibuprofen "
        "aspirin paracetamol acetaminophen warfarin insulin antibiotic antibiotics surgery "
        "cancer tumor tumour fever seizure blood_pressure vaccine antidepressants "
        "chemotherapy",
        "de": "symptome diagnose medikament medikamente fieber krebs blutdruck "
        "brustschmerzen antibiotika impfung schlaganfall",
        "fr": "symptômes symptôme diagnostic médicament médicaments fièvre cancer antibiotique "
        "ibuprofène antibiotiques doliprane",
        "es": "síntomas síntoma diagnóstico medicamento medicamentos fiebre cáncer antibiótico "
        "ibuprofeno",
        "pt": "sintomas sintoma diagnóstico medicamento medicamentos febre câncer antibiótico "
        "ibuprofeno",
        "it": "sintomi sintomo diagnosi farmaco farmaci febbre cancro antibiotico ibuprofene",
        "pl": "objawy diagnoza lek leki gorączka gorączkę antybiotyk ibuprofen rak",
        "ru": "симптомы диагноз лекарство лекарства ибупрофен антибиотик антибиотики ибупрофена "
        "рак инсульт",
        "zh": "症状 诊断 药物 布洛芬 抗生素 发烧 癌症 胸痛 手术",
        "ja": "症状 診断 薬 イブプロフェン 抗生物質 熱が 胸の痛み 手術",
    },
    Sense.LAW: {
        "en": "lawsuit lawyer attorney in_court court_order court_date landlord my_tenant "
        "eviction custody divorce non_compete noncompete compete_clause liability liable "
        "employment_contract the_contract this_contract my_contract legal_advice legal_action "
        "legally enforceable gdpr plaintiff statute litigation prenup",
        "de": "anwalt vor_gericht klage vermieter kündigung sorgerecht scheidung vertrag klausel "
        "haftung arbeitsvertrag rechtlich wettbewerbsverbot mietvertrag",
        "fr": "avocat tribunal procès bailleur divorce contrat juridique licenciement",
        "es": "abogado tribunal casero divorcio contrato cláusula custodia despido",
        "pt": "advogado tribunal senhorio divórcio contrato cláusula demissão",
        "it": "avvocato tribunale divorzio contratto custodia licenziamento",
        "pl": "prawnik sąd pozew rozwód umowa umowę klauzula wypowiedzenie",
        "ru": "адвокат суд иск развод договор договора увольнение юридический юрист",
        "zh": "律师 法院 诉讼 离婚 合同 条款 赔偿 房东 劳动法",
        "ja": "弁護士 裁判 訴訟 離婚 契約書 契約 条項 法的",
    },
    Sense.MONEY: {
        "en": "iban my_bank bank_account savings money payment invoice funds wallet bitcoin "
        "pension mortgage my_loan my_stocks my_shares my_inheritance",
        "de": "konto geld rechnung ersparnisse rente aktien hypothek kredit",
        "fr": "compte argent facture épargne retraite crédit",
        "es": "cuenta dinero factura ahorros pensión hipoteca",
        "pt": "conta dinheiro fatura poupança aposentadoria hipoteca",
        "it": "conto denaro soldi fattura risparmi pensione mutuo",
        "pl": "konto pieniądze fakturę oszczędności emerytura akcje kredyt",
        "ru": "счёт счет деньги сбережения пенсия акции ипотека кредит",
        "zh": "账户 钱 发票 存款 养老金 股票 贷款",
        "ja": "口座 お金 請求書 貯金 年金 株 ローン",
    },
    Sense.CURRENCY: {
        "en": "dollar dollars usd gbp pounds eur euro euros",
        "de": "franken chf",
        "fr": "francs",
        "es": "pesos",
        "pt": "reais",
        "it": "franchi",
        "pl": "złotych pln",
        "ru": "рублей доллар долларов евро",
        "zh": "美元 欧元 人民币 块钱",
        "ja": "ドル ユーロ 円",
    },
    Sense.PRODUCTION: {
        "en": "production prod live_system",
        "de": "produktion produktiv produktive produktiven produktionsdatenbank",
        "fr": "production prod",
        "es": "producción",
        "pt": "produção",
        "it": "produzione",
        "pl": "produkcji produkcyjną produkcyjnej",
        "ru": "прод проде продакшн продакшене продакшен боевой",
        "zh": "生产 线上",
        "ja": "本番",
    },
    Sense.TARGET: {
        "en": "database databases table tables db bucket volume cluster server servers namespace "
        "users customers backups data deployment schema records environment",
        "de": "datenbank tabelle tabellen cluster server backups daten nutzer kunden umgebung "
        "produktionsdatenbank",
        "fr": "base_de table tables serveur serveurs sauvegardes données utilisateurs",
        "es": "base_de tabla tablas servidor servidores respaldos datos usuarios",
        "pt": "banco_de tabela tabelas servidor servidores backups dados usuários",
        "it": "database tabella tabelle server backup dati utenti",
        "pl": "bazę baza tabelę serwer kopie dane użytkowników",
        "ru": "базу база таблицу таблицы сервер серверы бэкапы данные пользователей",
        "zh": "数据库 数据表 服务器 集群 备份 用户 数据",
        "ja": "データベース テーブル サーバー クラスタ バックアップ ユーザー データ",
    },
    Sense.DANGER: {
        "en": "suicide suicidal overdose poison poisoning poisoned carbon_monoxide unconscious "
        "self_harm not_breathing kill_myself bleach ammonia antifreeze gas_leak chest_pain",
        "de": "suizid selbstmord überdosis vergiftung bewusstlos kohlenmonoxid gasgeruch "
        "brustschmerzen",
        "fr": "suicide overdose empoisonnement inconscient monoxyde",
        "es": "suicidio sobredosis envenenamiento inconsciente suicidarme",
        "pt": "suicídio overdose envenenamento inconsciente",
        "it": "suicidio overdose avvelenamento incosciente",
        "pl": "samobójstwo przedawkowanie zatrucie nieprzytomny",
        "ru": "суицид самоубийство передозировка отравление",
        "zh": "自杀 过量 中毒 昏迷 一氧化碳",
        "ja": "自殺 過剰摂取 中毒 意識不明 一酸化炭素",
    },
    Sense.DOSE: {
        "en": "dose dosage doses mg milligrams prescribe prescribed treat treatment overdosed",
        "de": "dosis dosierung milligramm einnehmen behandeln behandlung",
        "fr": "dose dosage posologie prendre traitement",
        "es": "dosis dosificación tomar tratamiento",
        "pt": "dose dosagem tomar tratamento",
        "it": "dose dosaggio prendere trattamento",
        "pl": "dawka dawkę dawkowanie leczenie zażyć",
        "ru": "доза дозу дозировка дозировку принимать лечение",
        "zh": "剂量 服用 治疗",
        "ja": "用量 服用 治療 投与",
    },
    Sense.LITIGATE: {
        "en": "sue sign signing plead liable evict appeal legally enforceable",
        "de": "verklagen unterschreiben klagen kündigen anfechten haften",
        "fr": "poursuivre signer plaider contester résilier",
        "es": "demandar firmar apelar rescindir",
        "pt": "processar assinar recorrer rescindir",
        "it": "denunciare firmare ricorrere rescindere",
        "pl": "pozwać podpisać odwołać wypowiedzieć",
        "ru": "подписывать подписать судиться обжаловать расторгнуть",
        "zh": "起诉 签 上诉 违约",
        "ja": "訴える 署名 控訴 違反",
    },
    Sense.PAY: {
        "en": "transfer wire pay withdraw invest refund remit sell liquidate",
        "de": "überweise überweisen bezahle zahle abheben investieren verkaufen",
        "fr": "transfère transférer vire virer paie paye payer investir retire vendre",
        "es": "transfiere transferir paga pagar invertir retira vender",
        "pt": "transfira transferir pague pagar investir retire vender",
        "it": "trasferisci bonifica bonifico paga pagare investire preleva vendere",
        "pl": "przelej zapłać zainwestować wypłać sprzedać",
        "ru": "переведи перевести заплати оплати вложить снять продать",
        "zh": "转账 汇款 支付 投资 汇 卖掉",
        "ja": "送金 振り込 支払 投資 売却",
    },
    Sense.SEND: {
        "en": "send",
        "de": "sende schicke",
        "fr": "envoie envoyer",
        "es": "envía manda",
        "pt": "envie mande",
        "it": "invia manda",
        "pl": "wyślij",
        "ru": "отправь пошли",
        "zh": "发送 发给",
        "ja": "送って 送る",
    },
    Sense.DESTROY: {
        "en": "delete drop truncate terminate wipe destroy purge erase kill force_push rm",
        "de": "lösche löschen entferne vernichte zerstöre",
        "fr": "supprime supprimer efface effacer détruis",
        "es": "borra borrar elimina eliminar destruye",
        "pt": "apague apagar exclua excluir delete elimine",
        "it": "cancella cancellare elimina eliminare distruggi",
        "pl": "usuń usunąć skasuj wyczyść",
        "ru": "удали удалить снеси сотри очисти дропни",
        "zh": "删除 清空 销毁 删掉",
        "ja": "削除 消去 破棄 消して",
    },
}
