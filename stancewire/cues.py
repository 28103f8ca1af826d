"""Words by class, for finding who holds a stance: nouns that can or cannot hold one, and function words.

A noun stands here in the singular. The classes are those of any news text, not of one corpus; what regular
endings tell ("-ist", "-man", "-tion") is left to stancewire/phrases.py.
"""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


PRONOUN = _words("he i it she they we")
FIRST_PERSON = _words("i we")
QUANTIFIER = _words(
    "both dozens few half hundreds many most nobody none one others several some thousands three two"
)
"""Words for people without a noun: "many say", "some of them want"."""

PLURAL = _words("all both dozens few hundreds i many most others several some they those thousands we you")
NO_HOLDER = _words(
    "everybody everything here here's how it's me neither nothing something that that's there there's "
    "these this what when where which who why you"
)
DETERMINER = _words(
    "a all an another any both each eight eleven every five four her his its many most my nine no one our "
    "seven several six some ten that the their these this those three twelve two your"
)
PREPOSITION = _words(
    "aboard about above across after against amid among around as at before behind below besides between "
    "beyond by concerning despite during for from in inside into like near of off on onto outside over per "
    "regarding since through throughout to toward towards under until upon with within without"
)
LEAD = _words(
    "also and but earlier finally furthermore hence however indeed instead later meanwhile moreover "
    "nevertheless nonetheless not now or perhaps privately publicly so still then therefore thus today "
    "tomorrow yesterday yet"
)
SUBORDINATE = _words(
    "after although as because before if once since though unless until when whereas whether while"
)
RELATIVE = _words("that where which who whom whose")
ADVERB = _words(
    "again alone already also always even ever finally firmly first here herself himself however itself "
    "jointly just later long never not now often once only privately publicly rather recently since soon "
    "still themselves then there therefore today tonight too yesterday"
)
END = _words("about after and as before but by during on since when while with")
"""Words that end a phrase whose verb comes first: "said the minister | after talks"."""

VIEWS = _words("eyes opinion view words")
"""Nouns that name a holder: "in the words of the envoy"."""

MONTH_OR_DAY = _words(
    "apr april aug august dec december feb february friday jan january jul july jun june mar march may "
    "monday nov november oct october saturday sep sept september sunday thursday tuesday wednesday"
)
TIME = _words("day decade evening hour minute month morning night time week year")

NOUN_IN_LY = _words("anomaly bully fly monopoly rally reply")
PERSON = _words(
    "academic activist administrator admiral adviser advisor advocate agent aide ally ambassador analyst "
    "archbishop attaché attorney author backer banker bishop boss broker brother buyer campaigner "
    "candidate captain cardinal carer chair chancellor chief citizen clergy cleric colleague colonel "
    "columnist commander commentator commissioner commodore congressman consul consultant contractor "
    "coordinator correspondent councillor counsel counterpart critic dealer defendant defender delegate "
    "demonstrator deputy detective dictator diplomat director dissident doctor driver economist editor "
    "elder emissary emperor employee employer engineer envoy executive exile expert exporter family farmer "
    "father fighter financier founder friend general governor guard guerrilla hardliner head historian "
    "host importer insider inspector insurer investigator investor islander journalist judge king lawmaker "
    "lawyer leader legislator lender lieutenant lobbyist local magistrate major maker man manager marshal "
    "mayor mediator member merchant migrant militant miner minister monitor monk mother negotiator "
    "neighbor neighbour nurse observer officer official opponent organiser organizer owner parent "
    "participant partisan partner pastor patron people person pilot pirate player pollster pope premier "
    "president priest prime prince prisoner professor prosecutor protester publisher queen rabbi "
    "rapporteur reader rebel reformer refugee regulator relative reporter representative researcher "
    "resident rival ruler sailor sceptic scholar scientist secretary seller senator separatist sergeant "
    "settler sheikh shipper signatory skeptic smuggler soldier source speaker specialist sponsor staffer "
    "strategist student successor superpower supplier supporter surgeon survivor teacher technician trader "
    "traveller treasurer trustee undersecretary user veteran victim villager visitor volunteer voter "
    "warlord whistleblower widow witness worker writer"
)
GROUP = _words(
    "academy administration agency alliance army assembly association authority bank bench bloc board "
    "brigade bureau cabinet campaign capital cartel caucus chamber chancellery charity church city clan "
    "club coalition coast coastguard collective colony command commission committee commonwealth community "
    "company confederation conference congress consortium consulate cooperative corporation council "
    "country court crew crowd customs delegation department diaspora directorate embassy emirate empire "
    "exchange executive faction faculty federation firm fleet force foreign-ministry forum foundation "
    "front garrison government group guard headquarters house household industry inspectorate institute "
    "institution insurgency intelligence judiciary junta jury kingdom leadership league left legislature "
    "lobby majority management media military militia ministry minority mission monarchy mosque movement "
    "municipality nation navy neighbourhood network newspaper office opposition organisation organization "
    "palace panel parliament party patriarchate peacekeeper police politburo power prefecture presidency "
    "press prosecution province public quartet regime region registry republic residency right secretariat "
    "senate service side society squadron staff state syndicate task-force taskforce team think-tank "
    "treasury tribe tribunal troika union university village watchdog world"
)
"""Bodies, offices and states."""

THING = _words(
    "account agenda aid aircraft amendment answer article asset attack ban bill blockade bomb border "
    "bridge budget bullet cap cargo case ceasefire change clause condition consignment contact container "
    "contract convoy crisis crossing cup date deal debate debt decree delivery dialogue document draft "
    "drone duty economy effect embargo evidence exercise fact factory failure figure fine fire flight "
    "freeze frigate fuel game gas goal gun gunfire harvest hearing hope idea import increase initiative "
    "issue jet launch law licence license list loss machine mandate market match matter meal measure "
    "missile money move number oil order package paragraph payment peace penalty permit plan plane plant "
    "plot policy port price problem process product program programme project proposal protocol purchase "
    "question reason regulation relief result revenue rifle rise risk river road rocket round rule sale "
    "sanction scandal scheme season session shell ship shipment silence step stockpile strategy strike "
    "submarine success summit supply surplus system talk tank tariff tax tender term territory test text "
    "thing threat trade treaty trial trip trouble truce truth vehicle vessel veto violence visit vote war "
    "warhead weapon wheat work"
)
"""What holds no stance, whatever verb follows; a statement, a report or a letter may."""

OF_COUNTRIES = _words(
    "burkina costa east hong new north northern republic saudi sierra south southern united west"
)
"""Words of the names of countries: "North Korea" is no person, though it has two names."""

ODD_NAMES = _words("athens brussels cyprus damascus hamas honduras laos maldives paris texas tunis")
"""Places and bodies whose name looks like a plural."""
