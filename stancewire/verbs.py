"""Verbs of news English, by form: those of saying, and those that people and states do on purpose.

A word of these lists may still be a noun; stancewire/phrases.py looks at the words around it.
"""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _past(verb: str) -> str:
    if verb.endswith("e"):
        return verb + "d"
    if verb.endswith("y") and verb[-2] not in "aeiou":
        return verb[:-1] + "ied"
    return verb + (verb[-1] if verb in _DOUBLED else "") + "ed"


def _third(verb: str) -> str:
    if verb.endswith("y") and verb[-2] not in "aeiou":
        return verb[:-1] + "ies"
    return verb + ("es" if verb.endswith(("s", "sh", "ch", "x", "o")) else "s")


def _finite(verbs: frozenset[str]) -> frozenset[str]:
    """Return the forms that end a subject; the base form ("want") does so after a plural alone."""
    return frozenset(_third(verb) for verb in verbs) | frozenset(
        form for verb in verbs for form in (_IRREGULAR.get(verb) or _past(verb)).split()
    )


_DOUBLED = _words("ban bar commit drop equip permit plan refer scrap ship stop strip submit")
# The past tense, and the participle where it is another word.
_IRREGULAR = {
    "arise": "arose",
    "become": "became",
    "begin": "began",
    "bid": "bid",
    "break": "broke",
    "bring": "brought",
    "build": "built",
    "buy": "bought",
    "cast": "cast",
    "catch": "caught",
    "choose": "chose",
    "come": "came",
    "cut": "cut",
    "deal": "dealt",
    "draw": "drew",
    "drive": "drove",
    "fall": "fell",
    "feel": "felt",
    "fight": "fought",
    "find": "found",
    "fly": "flew",
    "forbid": "forbade",
    "foresee": "foresaw",
    "forget": "forgot",
    "forgive": "forgave",
    "freeze": "froze",
    "get": "got",
    "give": "gave",
    "go": "went",
    "grow": "grew",
    "hear": "heard",
    "hit": "hit",
    "hold": "held",
    "keep": "kept",
    "know": "knew",
    "lay": "laid",
    "lead": "led",
    "leave": "left",
    "lend": "lent",
    "let": "let",
    "lose": "lost",
    "make": "made",
    "mean": "meant",
    "meet": "met",
    "oversee": "oversaw",
    "overthrow": "overthrew",
    "pay": "paid",
    "put": "put",
    "quit": "quit",
    "read": "read",
    "rise": "rose",
    "run": "ran",
    "say": "said",
    "see": "saw",
    "seek": "sought",
    "sell": "sold",
    "send": "sent",
    "set": "set",
    "shed": "shed",
    "shoot": "shot",
    "show": "showed",
    "sit": "sat",
    "speak": "spoke",
    "spend": "spent",
    "stand": "stood",
    "steal": "stole",
    "strike": "struck",
    "swear": "swore",
    "take": "took",
    "teach": "taught",
    "tell": "told",
    "think": "thought",
    "throw": "threw",
    "undertake": "undertook",
    "uphold": "upheld",
    "wear": "wore",
    "weep": "wept",
    "win": "won",
    "withdraw": "withdrew",
    "withhold": "withheld",
    "write": "wrote",
}

_SAY = _words(
    "acknowledge add admit advise affirm allege announce answer argue ask assert believe boast caution "
    "claim comment complain concede conclude confirm contend counter declare deny disclose emphasise "
    "emphasize estimate explain hint inform insist joke lament maintain mention note observe predict "
    "promise quip reaffirm recall reckon reiterate remark remind repeat reply report respond retort reveal "
    "say snort state stress suggest suspect swear tell testify think underline underscore urge voice vow "
    "warn wonder worry write"
)
# What only somebody with a will does: judging, deciding, demanding, giving, taking, forbidding, dealing.
_ACT = _words(
    "abandon abolish accept accuse adopt advocate agree allow apologise apologize appeal applaud appoint "
    "appreciate approach approve arrest assure attack authorise authorize avoid back ban bar blacklist "
    "blame bless block blockade boycott buy call cancel celebrate challenge charge cheer choose co-sponsor "
    "commend commit condemn confiscate consider convene cooperate criticise criticize decide decline decry "
    "defend defer defy delay demand denounce deplore deploy deport describe despise detain disagree "
    "discourage discuss dismiss dispute disregard donate doubt embrace endorse enforce equip evade expect "
    "expel express favor favour fear fight finance fire flout forbid forgive freeze fund grant guarantee "
    "hail halt hope host ignore impose impound initial insult intend intercept intervene invite invoke "
    "join kill label lament launch lease lend license lift like lobby lodge lower mediate meet mock "
    "nationalise need negotiate nominate notify object offer oppose order oust outlaw pardon pay permit "
    "plan pledge postpone praise prefer prepare press probe proclaim prohibit propose prosecute protest "
    "publish punish pursue question raid ratify recognise recognize recommend refuse regard regret reject "
    "relax renew renounce request rescind resist resume review revoke ridicule salute sanction scold scorn "
    "scrap scrutinise seek seize sell send ship shrug sign slam smuggle sponsor stop submit summon supply "
    "support suspend target thank threaten tighten tolerate train trust undermine uphold value veto vote "
    "waive walk want welcome wish withdraw withhold withstand"
)
# Common ones whose subject may be anything.
_OTHER = _words(
    "appear arrive belong carry cause change concern contain continue cost cover cross depend differ enter "
    "exist follow happen include involve leave live matter move need occur open point produce provide "
    "reach receive remain represent require rest return seem serve share sound start stay stop tend try "
    "turn use vary wait work"
)

SAYING = _finite(_SAY) | _words("holds held puts reads")
ACTING = SAYING | _finite(_ACT)
FINITE = ACTING | _finite(_OTHER | frozenset(_IRREGULAR))
BASE = _SAY | _ACT | _OTHER | frozenset(_IRREGULAR)
WILFUL = ACTING | _SAY | _ACT
"""Forms whose subject has a will, the base form too: "will impose", "want"."""

ALSO_NOUNS = _words(
    "answers appeals approaches attacks backs bans bars bids blocks calls challenges charges claims cuts "
    "deals delays demands doubts draws drives favours fears fights fires funds grants halts honours hopes "
    "hosts labels leaves likes lists moves needs notes offers orders permits plans pledges probes promises "
    "protests questions raids reads reports requests reviews rises rules runs sanctions sets shares ships "
    "shoots shows signs stands states stops strikes supplies supports talks targets threats trains values "
    "visits votes walks wins worries"
)
"""Forms that are a plural noun as often."""

INVERTED = _words(
    "added adds announced answered answers argued argues asked asks complained concluded declared "
    "explained explains insisted insists joked noted notes observed quipped recalled remarked replied "
    "replies reported said say says shrugged snorted warned warns writes wrote"
)
"""Forms that stand before their subject: "said the minister"."""

AUXILIARY = _words(
    "are aren't can can't cannot could couldn't did didn't do does doesn't don't had hadn't has hasn't "
    "have haven't is isn't may might must shall should was wasn't were weren't will won't would wouldn't"
)
BE = _words("am are aren't be been being is isn't was wasn't were weren't")
PARTICIPLE = _words(
    "begun born bought broken brought built caught chosen cut drawn driven due flown forbidden forgotten "
    "found frozen given held hidden hit known led left lost made met overthrown paid put read said seen "
    "sent set shot sold spent stolen struck taken taught thrown told torn upheld withdrawn withheld won "
    "written"
)
"""Past participles that do not end in -ed."""

STATE = _words(
    "alarmed committed concerned convinced determined disappointed divided inclined interested opposed "
    "pleased prepared resolved satisfied split torn united worried"
)
"""Participles that say what their subject thinks: "is opposed to", not done to it by another."""

ATTITUDE = STATE | _words(
    "afraid against angry certain confident critical eager for furious glad happy hopeful hostile "
    "impatient keen loath open optimistic pessimistic proud ready reluctant sceptical sensitive silent "
    "skeptical sorry supportive sure unhappy unimpressed unwilling wary willing"
)
"""What somebody is who stands somewhere: "is ready to sign", "was against it"."""
