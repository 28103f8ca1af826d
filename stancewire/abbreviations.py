"""Words whose full stop need not end a sentence, by what may follow, and words that open or close a line."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


TITLES = _words("""
    Mr Mrs Ms Mx Messrs Mme Mlle Dr Drs Prof Profs Rev Fr Hon Gen Gens Lt Col Cols Maj Capt Sgt Cpl Pvt Pte
    Adm Cmdr Cdr Brig Ens Sen Sens Rep Reps Gov Govs Sec Amb Pres Insp Supt Det Atty Msgr Mt Ft
""")
"""Before a name, so never at the end of a sentence; with a capital only."""

NEVER_LAST = _words("e.g i.e eg ie cf vs v viz resp incl approx ca est nr natl intl dept ret")
"""Never at the end of a sentence, whatever follows."""

BEFORE_NUMBERS = _words("""
    no nos art arts para paras p pp vol vols ch chap cl sec sect fig figs tab tabs eq res doc ref reg regs
    tel ext b c d
    jan feb aug sept oct nov dec tues thurs
""")
"""Before a number; before anything else they are words like any other."""

DATES = _words("Jan Feb Mar Apr Jun Jul Aug Sep Sept Oct Nov Dec Mon Tue Tues Wed Thu Thur Thurs Fri Sat Sun")
"""Months and days; with a capital only."""

EITHER = _words("""
    co corp inc ltd llc plc bros cie jr sr esq etc al st ave blvd rd hwy sq govt assn univ inst min max avg
    div dist inf regt bn km kg lb lbs oz mi ft yd gal mph kph hr hrs yr yrs ed eds ibid Ala Ariz Ark Calif
    Colo Conn Del Fla Ga Ill Ind Kan Ky La Mass Md Mich Minn Miss Mont Neb Nev Okla Ore Pa Penn Tenn Tex Va
    Vt Wash Wis Wyo Ont Que Alta
""")
"""May end a sentence: they do if the next word is one of OPENERS. Capitals, where written, are needed."""

CLOCK = _words("a.m p.m")
"""End a sentence before a capital, unless it begins a day, a month or a time zone."""

UNITS = _words("km kg lb lbs oz mi ft yd gal mph kph hr hrs yr yrs bn pct cm mm C F")
"""Behind a number, they do so too."""

LETTERED = _words("""
    Annex Appendix Area Block Camp Category Class Document Exhibit Grade Group Level Option Part Phase Plan
    Schedule Section Site Table Type Unit Zone
""")
"""A capital letter behind one of these is no initial."""

OPENERS = _words("""
    A About According After Afterwards All Almost Already Also Although Among An And Another Any Anyone Are
    As Asked At Because Before Behind Both But By Could Critics Despite Did Diplomats Do Does During Each
    Either Even Every Everyone Everything Few For From Had Has Have He Hence Her Here His How However I If
    In Indeed Inside Instead Into Is It Its Later Many Meanwhile Most Much My Neither Never Nevertheless No
    Nobody None Nor Not Nothing Now Of Officials On Once Only Or Other Others Otherwise Our Outside Over
    People Perhaps She Should Since So Some Somebody Someone Something Soon Still Such That The Their Then
    There Therefore These They This Those Though Through Thus To Today Together Tomorrow Too Until Upon Was
    We Were What When Where Whether Which While Who Whose Why With Within Without Would Yes Yesterday Yet
    You Your
""")
"""With a capital, these open a sentence far more often than they belong to a name."""

SPEAKING = _words("""
    said says asked asks added adds replied replies answered shouted cried told wrote writes warned insisted
    exclaimed recalled wondered demanded called whispered declared responded joked quipped continued
""")

UNFINISHED = _words("""
    a an the and or but nor of on in at to by for from with as into over under between against about that
    which who whose his her its their our your my this these those is are was were be been has have had will
    would may might can could shall should not no than
""")
"""A line that ends with one of these goes on in the next."""
