"""Words that show who holds a stance: verbs of saying and siding, nouns that can or cannot hold one."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _past(verb: str) -> str:
    if verb.endswith("e"):
        return verb + "d"
    if verb.endswith("y") and verb[-2] not in "aeiou":
        return verb[:-1] + "ied"
    return verb + "ed"


def _third(verb: str) -> str:
    if verb.endswith("y") and verb[-2] not in "aeiou":
        return verb[:-1] + "ies"
    return verb + ("es" if verb.endswith(("s", "sh", "ch", "x", "o")) else "s")


_SAY = _words(
    "acknowledge add admit advise affirm allege announce answer argue ask assert believe boast caution "
    "claim comment complain concede conclude confirm contend declare deny emphasise emphasize estimate "
    "explain hint inform insist joke lament maintain mention note observe predict promise quip reaffirm "
    "recall reiterate remark repeat reply report respond retort snort state stress suggest suspect "
    "testify underline underscore urge voice vow warn wonder worry"
)
_SIDE = _words(
    "abandon abolish accept accuse adopt advocate allow appeal applaud appreciate approve arrest assure "
    "attack authorise authorize avoid back ban bar blame bless block boycott call cancel cease challenge "
    "charge co-sponsor condemn consider convene criticise criticize decide decline decry defend defy "
    "demand denounce deplore deport describe deserve despise destroy detain disagree discuss dismiss "
    "disregard donate doubt embrace end endorse enforce expect expel express extend favor favour fear "
    "fire freeze fund grant hail halt honour host impose impound initial intend intercept introduce "
    "invite join label launch lodge move negotiate nominate object offer open oppose order pledge "
    "postpone praise prefer present press proclaim prohibit propose protest question raid raise ratify "
    "reach recognise recognize recommend refuse regard regret reject release remain renew renounce "
    "request resist resume review revoke sanction scold scorn scrap seize sentence serve share ship shrug "
    "sign sponsor stop submit summon supply support suspend target terminate thank threaten tolerate "
    "trust undermine uphold vote walk want welcome wish withhold"
)
_IRREGULAR = {
    "say": "says said",
    "tell": "tells told",
    "think": "thinks thought",
    "write": "writes wrote written",
    "hold": "holds held",
    "put": "puts",
    "see": "sees saw",
    "take": "takes took",
    "make": "makes made",
    "give": "gives gave",
    "get": "gets got",
    "go": "goes went",
    "come": "comes came",
    "know": "knows knew",
    "mean": "means meant",
    "meet": "meets met",
    "send": "sends sent",
    "sell": "sells sold",
    "buy": "buys bought",
    "speak": "speaks spoke",
    "seek": "seeks sought",
    "swear": "swears swore",
    "forbid": "forbids forbade",
    "fly": "flies flew",
    "leave": "leaves left",
    "quit": "quits",
    "withdraw": "withdraws withdrew",
    "undertake": "undertakes undertook",
    "deplore": "deplores",
    "let": "lets",
    "keep": "keeps kept",
    "set": "sets",
    "stand": "stands stood",
    "begin": "begins began",
    "break": "breaks broke",
    "bring": "brings brought",
    "fight": "fights fought",
    "find": "finds found",
    "pay": "pays paid",
    "read": "reads",
    "rule": "rules ruled",
    "rise": "rose",
    "sit": "sits sat",
    "stay": "stays stayed",
    "plan": "plans planned",
    "drop": "drops dropped",
    "refer": "refers referred",
    "ship": "ships shipped",
    "back": "backs backed",
    "veto": "vetoes vetoed",
    "commit": "commits committed",
    "permit": "permits permitted",
    "submit": "submits submitted",
    "bid": "bids",
    "draw": "draws drew",
    "lay": "lays laid",
    "like": "likes liked",
    "lose": "loses lost",
    "need": "needs needed",
    "hope": "hopes hoped",
    "feel": "feels felt",
    "fall": "falls fell",
    "win": "wins won",
    "wear": "wears wore",
    "drive": "drives drove",
    "dig": "digs dug",
    "spend": "spends spent",
    "show": "shows showed",
    "weep": "wept",
    "pull": "pulls pulled",
    "stop": "stops stopped",
    "ban": "bans banned",
    "scrap": "scraps scrapped",
    "bar": "bars barred",
}
_DOUBLED = _words("stop ban scrap bar ship submit initial")


def _forms(verbs: frozenset[str]) -> frozenset[str]:
    finite = {form for verb in verbs - _DOUBLED for form in (_past(verb), _third(verb))}
    return frozenset(finite)


# Finite forms only: these may end a subject. Base forms ("want") do so after a plural alone.
SAYING = _forms(_SAY) | _words("says said tells told thinks thought writes wrote holds held puts reads read")
FINITE = (
    _words("put set let cut quit read hit bid beat cast shed")
    | SAYING
    | _forms(_SIDE)
    | {form for forms in _IRREGULAR.values() for form in forms.split()}
)
BASE = _SAY | _SIDE | frozenset(_IRREGULAR)
STRONG = (
    SAYING
    | _forms(_SIDE)
    | _words("vetoes vetoed seeks sought forbids forbade stopped banned scrapped barred")
)
# Verbs whose form is a noun's too, and mostly that.
ALSO_NOUNS = _words(
    "answers appeals approaches attacks backs bans bars bids blocks brings calls challenges charges "
    "claims demands doubts favours fears fires funds grants halts honours hopes hosts labels lists moves "
    "needs notes offers orders plans pledges presents protests questions raises reads releases reports "
    "requests reviews rules sales sanctions sentences sets shares ships signs stands states stops "
    "supplies supports talks targets threats visits votes"
)
INVERTED = _words(
    "added adds announced answered answers argued argues asked asks complained concluded declared "
    "explained explains insisted insists joked noted notes observed quipped recalled remarked replied "
    "replies reported said say says shrugged snorted told warned warns writes wrote"
)
AUXILIARY = _words(
    "are aren't can can't cannot could couldn't did didn't do does doesn't don't had hadn't has hasn't "
    "have haven't is isn't may might must shall should was wasn't were weren't will won't would wouldn't"
)
BE = _words("is are was were be been being isn't aren't wasn't weren't")

DETERMINER = _words(
    "a all an another any both each eight eleven every five four her his its many most my nine no one our "
    "seven several six some ten that the their these this those three twelve two your"
)
PREPOSITION = _words(
    "aboard about above across after against amid among around as at before behind below besides between "
    "by concerning despite during for from in inside into like near of off on outside over regarding "
    "since through to under until with within without"
)
LEAD = _words(
    "also and but earlier however instead later meanwhile moreover nevertheless nonetheless not now or "
    "privately publicly so still then therefore thus today tomorrow yesterday yet"
)
SUBORDINATE = _words(
    "after although as because before if once since though unless until when whereas whether while"
)
RELATIVE = _words("who which that whose whom where")
PRONOUN = _words("he she they it")
NO_HOLDER = _words(
    "everybody everything here how i me neither nobody none nothing something that there these this those "
    "us we what when where which who why you"
)
ADVERB = _words(
    "again alone already also always even finally firmly here herself himself however itself jointly just "
    "later long never not now often once only privately publicly rather recently soon still themselves "
    "then therefore today tonight too yesterday"
)
MONTH_OR_DAY = _words(
    "apr april aug august dec december feb february friday jan january jul july jun june mar march may "
    "monday nov november oct october saturday sep sept september sunday thursday tuesday wednesday"
)
PERSON = _words(
    "activist admiral adviser advisor ambassador analyst attaché attorney banker bishop brigadier broker "
    "captain chairman chairwoman chancellor chief colonel commander commissioner commodore consul "
    "coordinator counsel cousin critic dealer delegate deputy diplomat director doctor economist editor "
    "emperor engineer envoy expert farmer general governor head historian host inspector judge king "
    "lawmaker lawyer leader legislator major man manager master mayor mediator member minister negotiator "
    "neighbour nurse officer official opposition owner pope premier president prince professor prosecutor "
    "queen rapporteur reader representative researcher resident scholar secretary senator sergeant "
    "soldier speaker spokesman spokesperson spokeswoman teacher trader unionist user veteran widow woman "
    "worker writer"
)
GROUP = _words(
    "administration agency alliance army assembly association authority bank bloc board bundestag bureau "
    "cabinet campaign capital chamber coalition coastguard commission committee communiqué company "
    "congress council country court crew customs declaration defence delegation department directorate "
    "duma editorial embassy families family federation firm force foundation front generals government "
    "group guard guards headquarters house indictment inspectorate institute insurgents judgment junta "
    "kingdom knesset kremlin majority militia ministry minority mission movement nation navy neighbours "
    "note office opposition organisation organization panel parliament party pentagon people police "
    "presidency prosecution public rebels regime registry report republic secretariat senate service side "
    "state statement team treasury tribunal union"
)
THING = _words(
    "account agreement aid aircraft amendment annex answer appeal application article asset attack ban "
    "bill border bridge cargo case ceasefire change clause condition consignment contact container "
    "contract convoy crossing cup day deal decision delivery dialogue dispute document draft drone duty "
    "election embargo evidence exchange exemption exercise export extension factory figure fine fire "
    "frigate fund game gas hearing import incident increase inquiry investigation issue launch law letter "
    "licence license list machine mandate market match matter measure meeting missile money month "
    "negotiation notice number oil order package paragraph payment penalty permit plan plane plant port "
    "price problem process programme project proposal purchase question reason regulation renewal "
    "resolution restriction result rifle rise road round rule sale sanction scheme season session shell "
    "ship shipment silence strike submarine summit system talks tank tariff team's tender term test text "
    "thing trade treaty trial truce truth vessel visit vote war weapon week year"
)
PARTICIPLE = _words(
    "begun born bought broken brought built chosen drawn driven due flown forbidden found frozen given "
    "held hidden hit known left lost made met paid put read said seen sent set shot sold spent stolen "
    "struck taken taught thrown told withdrawn won written"
)
STATE = _words(
    "committed concerned convinced determined inclined interested opposed pleased prepared worried"
)
END = _words("about after and as before but by during on when while with")
TIME = _words("day decade evening hour minute month morning night time week year")
