"""Lists of money as offices keep them: programmes with what they need each year, pledges with instalments, receipts. Fields and headings."""

from __future__ import annotations

import re
from types import MappingProxyType

from crm.exchange.sheet_cells import plain_digits
from crm.exchange.sheet_fields import AMOUNT, CURRENCY, DAY, NEED, NEED_OF_YEAR, REPORTED, YEAR, SheetField, SheetKind
from crm.i18n import lazy_gettext as _l
from crm.money import known_currency
from crm.queries.names import fold

_YEAR_NAMED = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")

_CURRENCY = SheetField(
    _l("Currency"), "currency/currency of the need/curr/ccy/currency code/devise/monnaie/moneda/divisa/العملة/عملة", CURRENCY
)
_DONOR = (
    "donor/donor name/funder/funding partner/partner/contributor/bailleur/bailleur de fonds/donateur/partenaire/donante/financiador/"
    "socio/المانح/الجهة المانحة/الممول/المتبرع"
)
_PROGRAMME = "programme/program/project/programme title/programme/projet/programa/proyecto/البرنامج/المشروع"
_OURS = "reference/ref/our reference/throughline reference/référence/notre référence/referencia/nuestra referencia/المرجع/مرجعنا"
_THEIRS = (
    "donor reference/donor's reference/donor ref/grant reference/grant ref/grant number/grant no/grant/grant id/contract/contract number/pledge no/pledge number/"
    "pledge id/pledge ref/numéro de subvention/référence du bailleur/référence bailleur/convention/n° de convention/numéro de promesse/"
    "referencia del donante/número de subvención/número de convenio/رقم المنحة/مرجع المانح/رقم التعهد"
)
_NOTE = "note/notes/comment/comments/remarks/remarques/commentaire/commentaires/notas/observaciones/comentarios/ملاحظات"

PROGRAMMES = SheetKind(
    "programmes",
    _l("Programmes and what they need"),
    _l("Programmes with their days and what they need each year: a row for each year, or a column for each year."),
    MappingProxyType(
        {
            "reference": SheetField(_l("Reference"), _OURS + "/programme reference/programme code/code/code du programme/código"),
            "title": SheetField(
                _l("Title"),
                "title/programme title/programme name/project title/intitulé/titre/nom du programme/título/nombre del programa/العنوان/اسم البرنامج/"
                + _PROGRAMME,
                one_of="title",
            ),
            "starts_on": SheetField(
                _l("Starts on"), "start/starts on/start date/from/begin/date de début/début/inicio/fecha de inicio/تاريخ البدء/البداية", DAY
            ),
            "ends_on": SheetField(_l("Ends on"), "end/ends on/end date/to/until/date de fin/fin/fecha de fin/تاريخ الانتهاء/النهاية", DAY),
            "summary": SheetField(_l("Summary"), "summary/description/objective/résumé/objectif/resumen/descripción/الوصف/ملخص"),
            "sector": SheetField(_l("Sector (DAC code)"), "sector code/dac code/dac sector/code cad/código cad/رمز القطاع"),
            "place_text": SheetField(
                _l("Place"), "place/where/location/area/region/governorate/lieu/zone/région/lugar/zona/región/المكان/المنطقة/المحافظة"
            ),
            "currency": _CURRENCY,
            "year": SheetField(_l("Year"), "year/budget year/année/exercice/año/السنة/العام", YEAR),
            "amount": SheetField(
                _l("Needed in the year"),
                "amount/needs in the year/requirement/requirements/required/need/needs/budget/funding required/besoin/besoins/montant/montant requis/budget requis/"
                "necesidad/necesidades/monto/importe/presupuesto/المبلغ/الاحتياج/الاحتياجات/الميزانية",
                NEED,
            ),
            "need": SheetField(
                _l("Needed in the year of the heading"),
                "requirement/requirements/required/need/needs/budget/besoin/besoins/montant/necesidad/necesidades/presupuesto/الاحتياج/الاحتياجات/الميزانية",
                NEED_OF_YEAR,
                is_many=True,
            ),
            "source": SheetField(_l("Source of the need"), "source/source of the need/fuente/المصدر"),
        }
    ),
    counted=("amount", "need"),
)
PLEDGES = SheetKind(
    "pledges",
    _l("Pledges"),
    _l("What donors pledged, a row for each pledge, or a row for each instalment with the reference of the pledge in each."),
    MappingProxyType(
        {
            "reference": SheetField(_l("Reference"), _OURS),
            "donor": SheetField(_l("Donor"), _DONOR, one_of="donor"),
            "donor_reference": SheetField(_l("Donor's or grant reference"), _THEIRS),
            "title": SheetField(
                _l("What was pledged"),
                "title/what was pledged/pledge/purpose/description/words/intitulé/objet/promesse/título/propósito/compromiso/promesa/العنوان/الغرض/التعهد",
            ),
            "pledged_on": SheetField(
                _l("Pledged on"),
                "pledged on/made/pledge date/date of pledge/date/day/date announced/date de la promesse/date d'annonce/fecha/fecha de la promesa/"
                "fecha del compromiso/التاريخ/تاريخ التعهد",
                DAY,
                one_of="pledged_on",
            ),
            "amount": SheetField(
                _l("Amount"),
                "amount/amount pledged/pledged/pledge amount/pledged amount/value/total/total amount/total pledged/montant/montant promis/"
                "montant total/monto/importe/monto prometido/monto total/المبلغ/مبلغ التعهد/القيمة",
                AMOUNT,
                one_of="amount",
            ),
            "instalment": SheetField(
                _l("Amount of the instalment"),
                "instalment/installment/instalment amount/installment amount/tranche/tranche amount/payment/échéance/montant de la tranche/"
                "montant de l'échéance/versement/cuota/tramo/importe de la cuota/desembolso/القسط/الدفعة/مبلغ القسط",
                AMOUNT,
                one_of="amount",
            ),
            "currency": _CURRENCY,
            "due_on": SheetField(
                _l("Due on"),
                "due/due on/due date/expected/expected on/expected date/payment date/date d'échéance/date prévue/échéance le/fecha de vencimiento/"
                "vencimiento/fecha prevista/تاريخ الاستحقاق/الاستحقاق",
                DAY,
            ),
            "due_when": SheetField(
                _l("Due when"), "due when/trigger/condition/milestone/condition de versement/jalon/condición/hito/شرط الدفع/الشرط"
            ),
            "programme": SheetField(_l("Programme"), _PROGRAMME),
            "event": SheetField(
                _l("Pledging event"), "pledging event/event/conference/événement/conférence/evento/conferencia/المناسبة/المؤتمر"
            ),
        }
    ),
    counted=("instalment", "amount"),
)
RECEIPTS = SheetKind(
    "receipts",
    _l("Receipts"),
    _l("Money that arrived, each payment with the agreement or pledge it is paid under, and the bank's reference."),
    MappingProxyType(
        {
            "reference": SheetField(
                _l("Reference"), "reference/receipt/receipt reference/receipt no/our reference/reçu/recibo/إيصال/المرجع"
            ),
            "agreement": SheetField(
                _l("Agreement or pledge"),
                "agreement/pledge/agreement or pledge/under/agreement reference/accord/promesse/acuerdo/compromiso/convenio/الاتفاقية/التعهد/"
                + _THEIRS,
            ),
            "donor": SheetField(_l("Donor"), _DONOR + "/payer/received from/payeur/reçu de/pagador/recibido de/المرسل"),
            "value_on": SheetField(
                _l("Value date"),
                "value date/arrived/date/day/received on/date received/payment date/booking date/date de valeur/date de réception/date de paiement/"
                "fecha valor/fecha/fecha de recepción/fecha de pago/تاريخ القيمة/التاريخ/تاريخ الاستلام",
                DAY,
                one_of="value_on",
            ),
            "amount": SheetField(
                _l("Amount"),
                "amount/amount received/received/credit/paid/montant/montant reçu/crédit/reçu/monto/importe/monto recibido/abono/المبلغ/المبلغ المستلم",
                AMOUNT,
                one_of="amount",
            ),
            "currency": _CURRENCY,
            "bank_amount": SheetField(
                _l("Credited by the bank, in the reporting currency"),
                "amount in usd/usd amount/usd/usd equivalent/reporting amount/montant en usd/équivalent usd/monto en usd/المبلغ بالدولار",
                REPORTED,
            ),
            "bank_reference": SheetField(
                _l("Bank reference"),
                "bank reference/the bank's reference/bank ref/transaction/transaction id/transaction reference/deposit/référence bancaire/référence de l'opération/"
                "referencia bancaria/referencia del banco/مرجع البنك/رقم الحوالة",
            ),
            "reason": SheetField(_l("Note"), _NOTE + "/reason"),
        }
    ),
    counted=("amount",),
)
MONEY_SHEETS = (PROGRAMMES, PLEDGES, RECEIPTS)


def year_named(heading: str) -> tuple[int, str]:
    """The one year that a heading names, and what else stands in it, folded and without a currency: ("Budget 2026 (USD)") is
    (2026, "budget"); (0, "") where it names none or two."""
    text = plain_digits(heading)
    found = _YEAR_NAMED.findall(text)
    if len(found) != 1:
        return 0, ""
    words = [word for word in re.findall(r"[^\W\d_]+", text) if not known_currency(word)]
    return int(found[0]), fold(" ".join(words))
