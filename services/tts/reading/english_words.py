"""What English writes short."""

from services.tts.reading.rules import word_set

# Such numerals are ordinals after these names, and numbers after these words.
RULERS = word_set(
    """
    Louis Charles Henry Francis Philip Napoleon John Paul Nicholas Alexander Frederick William George Edward
    Elizabeth James Richard Mary Catherine Pius Benedict Gregory Clement Innocent Leo Urban Julius Sixtus
    Boniface Albert Leopold Alfonso Ferdinand Carlos Felipe Isabella Christian Gustav Oscar Harald Olav Ivan
    Ramses Ptolemy Cleopatra Darius Xerxes Constantine Theodosius Justinian Mehmed Mohammed Hussein Robert
    Joseph Maximilian Otto Conrad Stephen Peter Margrethe Wilhelmina Beatrix Pedro Harold Edmund Baldwin Selim
    Murad Wilhelm Franz Rudolf
    """
)
NUMBERED_PARTS = word_set(
    """
    chapter part volume book act scene section title article appendix phase type level stage step season episode
    chap vol art fig sec
    war bowl figure table class category group division canto psalm world
    """
)
READ_ACRONYMS = word_set(
    """
    NASA NATO UNESCO UNICEF AIDS SARS COVID RAM ROM OPEC FIFA UEFA NAFTA SWAT SCUBA RADAR LASER JPEG JSON YAML
    ASCII BIOS CUDA LAN WAN VRAM REST SOAP SAAS GIF ZIP PIN SIM WASP YOLO ASAP OK NO YES AND OR NOT THE OF TO IN
    ON AT BY FOR YOU ME MY WE HE SHE ALL ANY BUT CAN DO GO HOW IF IS NEW NOW OFF ONE OUT SEE SO STOP TWO UP WAS
    WHO WHY BIG BAD END GET
    """
)
SPELLED_ACRONYMS = word_set(
    """
    IEEE API URI IOS EULA URL USAF UCLA
    """
)

MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
MONTHS_SHORT = {
    "Jan": "January", "Feb": "February", "Mar": "March", "Apr": "April", "Jun": "June", "Jul": "July",
    "Aug": "August", "Sep": "September", "Sept": "September", "Oct": "October", "Nov": "November", "Dec": "December",
}  # fmt: skip
DAYS_SHORT = {
    "Mon.": "Monday", "Tue.": "Tuesday", "Tues.": "Tuesday", "Wed.": "Wednesday", "Thu.": "Thursday",
    "Thurs.": "Thursday", "Fri.": "Friday", "Sat.": "Saturday", "Sun.": "Sunday",
}  # fmt: skip

# These may end a sentence, and then their dot is the sentence's, too.
LAST_WORDS = {
    "etc.": "et cetera", "etc": "et cetera",
}  # fmt: skip
# Before a name, after a name, anywhere, before a number.
TITLES = {
    "Mr": "mister", "Mr.": "mister", "Mrs": "missus", "Mrs.": "missus", "Ms.": "Ms", "Messrs.": "messieurs",
    "Dr": "doctor", "Dr.": "doctor", "Prof.": "professor", "St.": "saint", "St": "saint", "Mt.": "mount",
    "Mt": "mount", "Ft.": "fort", "Gov.": "governor", "Sen.": "senator", "Rep.": "representative",
    "Pres.": "president", "Rev.": "reverend", "Fr.": "father", "Hon.": "honorable", "Capt.": "captain",
    "Col.": "colonel", "Gen.": "general", "Lt.": "lieutenant", "Maj.": "major", "Sgt.": "sergeant",
    "Cpl.": "corporal", "Cmdr.": "commander", "Adm.": "admiral", "Det.": "detective", "Supt.": "superintendent",
}  # fmt: skip
AFTER_NAMES = {
    "St.": "street", "St": "street", "Ave.": "avenue", "Ave": "avenue", "Blvd.": "boulevard", "Blvd": "boulevard",
    "Rd.": "road", "Rd": "road", "Dr.": "drive", "Ln.": "lane", "Hwy.": "highway", "Sq.": "square",
    "Pkwy.": "parkway", "Jr.": "junior", "Jr": "junior", "Sr.": "senior", "Sr": "senior", "Inc.": "incorporated",
    "Corp.": "corporation", "Co.": "company", "Ltd.": "limited", "Ltd": "limited", "Bros.": "brothers",
    "Univ.": "university",
}  # fmt: skip
ABBREVIATIONS = {
    "e.g.": "for example", "eg.": "for example", "i.e.": "that is", "vs.": "versus", "vs": "versus",
    "approx.": "approximately", "et al.": "et al", "cf.": "compare", "a.k.a.": "also known as",
    "aka": "also known as", "w/": "with", "w/o": "without", "b/c": "because", "dept.": "department",
    "max.": "maximum", "min.": "minimum", "tel.": "telephone", "misc.": "miscellaneous",
    "ext.": "extension", "govt.": "government", "Ph.D.": "P H D", "PhD": "P H D", "p.s.": "P S", "n.b.": "nota bene",
    "C++": "C plus plus", "C#": "C sharp", "F#": "F sharp", "rsvp": "R S V P",
    "24/7/365": "twenty-four seven three sixty-five",
}  # fmt: skip
BEFORE_NUMBERS = {
    "no.": "number", "nos.": "numbers", "№": "number", "n°": "number", "p.": "page", "pp.": "pages", "vol.": "volume",
    "art.": "article", "ch.": "chapter", "chap.": "chapter", "fig.": "figure", "figs.": "figures", "eq.": "equation",
    "sec.": "section", "§": "section", "§§": "sections", "ca.": "circa", "c.": "circa", "v.": "version",
    "ver.": "version", "apt.": "apartment", "rm.": "room", "ex.": "example", "ed.": "edition", "ep.": "episode",
    "approx.": "approximately", "est.": "established",
}  # fmt: skip
IPA = {"A": "ˈeɪ", "Ms": "mˈɪz"}
PLURALS = word_set(
    """
    people men women children feet mice sheep fish species times
    """
)
