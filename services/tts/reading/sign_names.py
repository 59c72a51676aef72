"""The names of signs, for whoever spells a text."""

SIGN_NAMES = {
    "fr": {
        "@": "arobase", ".": "point", ",": "virgule", ";": "point virgule", ":": "deux points", "-": "tiret",
        "_": "tiret bas", "+": "plus", "=": "égal", "*": "étoile", "/": "slash", "\\": "antislash", "#": "dièse",
        "%": "pour cent", "&": "esperluette", "!": "point d'exclamation", "?": "point d'interrogation",
        "'": "apostrophe", "’": "apostrophe", '"': "guillemet", "«": "guillemet ouvrant", "»": "guillemet fermant",
        "(": "parenthèse ouvrante", ")": "parenthèse fermante", "[": "crochet ouvrant", "]": "crochet fermant",
        "{": "accolade ouvrante", "}": "accolade fermante", "<": "inférieur", ">": "supérieur", "|": "barre",
        "~": "tilde", "^": "accent circonflexe", "$": "dollar", "€": "euro", "£": "livre", "°": "degré",
        "§": "paragraphe", "`": "accent grave", "…": "points de suspension", "–": "tiret", "—": "tiret",
    },
    "en": {
        "@": "at", ".": "dot", ",": "comma", ";": "semicolon", ":": "colon", "-": "dash", "_": "underscore",
        "+": "plus", "=": "equals", "*": "star", "/": "slash", "\\": "backslash", "#": "hash", "%": "percent",
        "&": "ampersand", "!": "exclamation mark", "?": "question mark", "'": "apostrophe", "’": "apostrophe",
        '"': "quote", "“": "quote", "”": "quote", "(": "open parenthesis", ")": "close parenthesis",
        "[": "open bracket", "]": "close bracket", "{": "open brace", "}": "close brace", "<": "less than",
        ">": "greater than", "|": "bar", "~": "tilde", "^": "caret", "$": "dollar", "€": "euro", "£": "pound",
        "°": "degree", "§": "section", "`": "backtick", "…": "ellipsis", "–": "dash", "—": "dash",
    },
}  # fmt: skip
