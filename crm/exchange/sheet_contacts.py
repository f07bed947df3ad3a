"""The columns of lists of posts (positions) and of contacts logged (interactions), with the headings that offices give them in four languages."""

from __future__ import annotations

from types import MappingProxyType

from crm.exchange.sheet_fields import DAY, LIST, WORD, ListedWords, SheetField, SheetKind, words_of
from crm.i18n import lazy_gettext as _l
from crm.models.codes import INTERACTION_KINDS

_ORGANISATION = (
    "organisation/organization/institution/company/employer/ministry/agency/body/office/department/organisme/organisme d'appartenance/ministère/"
    "institución/organización/entidad/ministerio/المؤسسة/المنظمة/الجهة/الوزارة/الهيئة"
)
_REFERENCE = "reference/ref/our reference/throughline reference/référence/referencia/المرجع/رقم المرجع"


POSITIONS = SheetKind(
    "positions",
    _l("Posts and who holds them"),
    _l("A list of posts: the organisation, the title, who holds it, since when and until when."),
    MappingProxyType(
        {
            "organisation": SheetField(_l("Organisation"), _ORGANISATION, one_of="organisation"),
            "title": SheetField(
                _l("Title of the post"),
                "title/post/position/post title/position title/job title/role/function/designation/poste/fonction/titre/intitulé du poste/cargo/"
                "puesto/título/función/المنصب/الوظيفة/المسمى الوظيفي/اللقب الوظيفي",
                one_of="title",
            ),
            "portfolio": SheetField(
                _l("What the post is in charge of"),
                "portfolio/responsibilities/in charge of/remit/mandate/attributions/portefeuille/responsabilités/cartera/responsabilidades/"
                "atribuciones/المسؤوليات/الاختصاصات/المهام",
            ),
            "holder": SheetField(
                _l("Who holds it"),
                "holder/held by/name/full name/incumbent/current holder/office holder/person/titulaire/nom/nom complet/occupé par/nombre/"
                "nombre completo/ocupante/persona/شاغل المنصب/الاسم/الاسم الكامل/اسم الشاغل",
                is_name=True,
            ),
            "since": SheetField(
                _l("Since"),
                "since/from/start/start date/in post since/appointed/appointed on/appointment date/depuis/depuis le/date de début/nommé le/"
                "date de nomination/desde/fecha de inicio/fecha de nombramiento/منذ/من تاريخ/تاريخ التعيين/تاريخ البدء",
                DAY,
            ),
            "until": SheetField(
                _l("Until"),
                "until/to/till/end/end date/left/left on/left office/jusqu'au/jusqu'à/date de fin/parti le/hasta/fecha de fin/fecha de salida/"
                "حتى/إلى تاريخ/تاريخ الانتهاء/تاريخ المغادرة",
                DAY,
            ),
            "form_of_address": SheetField(
                _l("Form of address"),
                "form of address/address as/salutation/honorific/style/formule d'appel/civilité/formule de politesse/tratamiento/"
                "forma de tratamiento/صيغة المخاطبة/اللقب",
            ),
            "biography": SheetField(
                _l("Short biography"),
                "biography/bio/short biography/background/biographie/notice biographique/biografía/reseña/السيرة الذاتية/نبذة/سيرة",
            ),
        }
    ),
)

INTERACTION_WORDS = words_of(
    {
        "meeting": "meetings/bilateral/bilateral meeting/face to face/in person/online meeting/virtual meeting/zoom/teams/réunion/rencontre/"
        "entretien/réunion bilatérale/reunión/encuentro/reunión bilateral/اجتماع/لقاء/اجتماع ثنائي",
        "call": "phone/phone call/telephone/telephone call/video call/videoconference/appel/appel téléphonique/téléphone/visioconférence/llamada/"
        "llamada telefónica/teléfono/videollamada/مكالمة/اتصال/مكالمة هاتفية/اتصال هاتفي",
        "visit": "visits/field visit/site visit/courtesy visit/mission/visite/visite de terrain/visite de courtoisie/visita/visita de campo/"
        "visita de cortesía/زيارة/زيارة ميدانية",
        "letter": "letters/email/e-mail/mail/correspondence/note verbale/message/lettre/courrier/courriel/correspondance/carta/correo/"
        "correo electrónico/nota verbal/رسالة/خطاب/كتاب/بريد إلكتروني/مراسلة",
        "event": "events/conference/workshop/seminar/training/reception/launch/round table/événement/conférence/atelier/séminaire/formation/"
        "lancement/table ronde/evento/conferencia/taller/seminario/lanzamiento/فعالية/حدث/مؤتمر/ورشة/ورشة عمل/ندوة",
        "media": "interview/press/press conference/radio/tv/television/social media/médias/presse/conférence de presse/medios/prensa/entrevista/"
        "rueda de prensa/إعلام/مقابلة/مقابلة صحفية/مؤتمر صحفي",
    }
)
STATE_WORDS = words_of(
    {
        "held": "done/completed/took place/tenu/tenue/effectué/fait/réalisé/realizado/realizada/celebrada/hecho/عقد/تم/منجز",
        "planned": "scheduled/upcoming/to do/prévu/prévue/planifié/programado/programada/previsto/مخطط/مقرر/مجدول",
        "cancelled": "canceled/annulé/annulée/cancelado/cancelada/ملغى/ألغي",
    }
)

INTERACTIONS = SheetKind(
    "interactions",
    _l("Meetings, calls, visits and letters"),
    _l("A log of contacts that were held: the day, with whom, who was there, what was said, the answer, the next step."),
    MappingProxyType(
        {
            "reference": SheetField(_l("Reference"), _REFERENCE),
            "day": SheetField(
                _l("Day"),
                "day/date/when/meeting date/date of meeting/date of contact/contact date/held on/jour/date de la réunion/date du contact/quand/"
                "fecha/día/fecha de la reunión/cuándo/التاريخ/تاريخ الاجتماع/تاريخ اللقاء/اليوم/متى",
                DAY,
                one_of="day",
            ),
            "time": SheetField(_l("Time"), "time/start time/hour/heure/heure de début/hora/hora de inicio/الوقت/الساعة"),
            "kind": SheetField(
                _l("Kind of contact"),
                "kind/type/type of contact/contact type/type of interaction/type of meeting/channel/mode/nature/type de contact/"
                "type de réunion/tipo/tipo de contacto/modalidad/النوع/نوع اللقاء/نوع التواصل/نوع الاجتماع",
                WORD,
                ListedWords(INTERACTION_KINDS, INTERACTION_WORDS),
            ),
            "state": SheetField(_l("State"), "state/status/état/statut/estado/الحالة", WORD, STATE_WORDS),
            "party": SheetField(
                _l("With whom"),
                "with/with whom/met with/party/who/whom/person/name/contact/contact name/contact person/interlocutor/counterpart/stakeholder/"
                "person met/avec/avec qui/interlocuteur/personne rencontrée/nom/con/con quién/interlocutor/contraparte/persona/nombre/مع/مع من/"
                "الشخص/الاسم/جهة الاتصال/الطرف",
                one_of="party",
                is_name=True,
            ),
            "organisation": SheetField(_l("Organisation"), _ORGANISATION, one_of="party"),
            "people": SheetField(
                _l("Who else was there, on their side"),
                "participants/people present/attendees/present/others present/their participants/their side/other participants/présents/"
                "participants externes/personnes présentes/autres participants/asistentes/participantes/otros asistentes/المشاركون/الحضور/الحاضرون",
                LIST,
                is_many=True,
            ),
            "colleagues": SheetField(
                _l("Our colleagues"),
                "colleagues/our colleagues/our side/our participants/staff/our staff/team/staff present/logged by/attended by/focal point/"
                "collègues/nos collègues/notre équipe/personnel/équipe/colegas/nuestro equipo/personal/equipo/الزملاء/فريقنا/الموظفون/من جانبنا",
                is_many=True,
                marks=";\n|,،",
            ),
            "subject": SheetField(
                _l("Subject"),
                "subject/topic/purpose/agenda/title/about/objective/reason/objet/sujet/thème/ordre du jour/but/motif/asunto/tema/objetivo/"
                "propósito/motivo/الموضوع/الغرض/الهدف/جدول الأعمال",
            ),
            "summary": SheetField(
                _l("What was said"),
                "what was said/summary/what/discussion/minutes/notes of the meeting/key points/main points/discussed/details/description/"
                "résumé/compte rendu/discussion/points clés/ce qui a été dit/points discutés/resumen/acta/puntos clave/lo que se dijo/discusión/"
                "الملخص/ملخص/ما قيل/المحضر/النقاط الرئيسية/التفاصيل",
                is_many=True,
            ),
            "ask": SheetField(
                _l("Ask (its reference or its sentence)"),
                "ask/our ask/request/what we asked/demande/notre demande/requête/petición/solicitud/nuestra petición/الطلب/طلبنا/المطلب",
            ),
            "answer": SheetField(
                _l("Answer"),
                "answer/response/reply/their answer/outcome/result/réponse/résultat/suite/respuesta/resultado/الجواب/الرد/الإجابة/النتيجة",
            ),
            "answer_words": SheetField(
                _l("Answer in their words"),
                "answer in their words/their words/exact words/quote/leurs mots/citation/sus palabras/cita/كلماتهم/اقتباس",
            ),
            "place": SheetField(
                _l("Place"), "place/location/venue/where/lieu/endroit/où/lugar/ubicación/dónde/sede/المكان/الموقع/مكان الاجتماع"
            ),
            "language": SheetField(_l("Language"), "language/langue/idioma/lengua/اللغة"),
            "length": SheetField(
                _l("Length in minutes"),
                "length/minutes long/duration/length in minutes/duration (minutes)/durée/durée en minutes/duración/duración en minutos/المدة",
            ),
            "programme": SheetField(_l("Programme"), "programme/program/project/projet/programa/proyecto/البرنامج/المشروع"),
            "next_step": SheetField(
                _l("Next step"),
                "next step/next steps/follow up/follow-up/action/action point/action points/to do/prochaine étape/prochaines étapes/suivi/"
                "action à suivre/próximo paso/próximos pasos/seguimiento/acción/الخطوة التالية/الخطوات التالية/المتابعة/الإجراء",
            ),
            "due": SheetField(
                _l("Next step due"),
                "due/due date/due on/deadline/next step due/follow up date/follow-up date/by when/échéance/date limite/pour le/date de suivi/"
                "fecha límite/plazo/vence/fecha de seguimiento/تاريخ الاستحقاق/الموعد النهائي/تاريخ المتابعة/الموعد",
                DAY,
            ),
            "owner": SheetField(
                _l("Who does the next step"),
                "owner/responsible/assigned to/action owner/by whom/who will do it/responsable/attribué à/chargé de suivi/asignado a/encargado/"
                "المسؤول/المكلف/الشخص المسؤول",
                beside="who/by/name/person/qui/par/nom/quién/por/nombre/من/الاسم",
                after=("next_step", "due"),
            ),
            "note": SheetField(
                _l("Note for the office alone"),
                "note/notes/comment/comments/remarks/internal note/confidential note/remarque/remarques/commentaires/nota/notas/observaciones/"
                "comentarios/ملاحظة/ملاحظات",
                is_many=True,
            ),
        }
    ),
)

CONTACT_SHEETS = (POSITIONS, INTERACTIONS)
