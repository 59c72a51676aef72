"""`superwhisper models`."""

SENTENCES: dict[str, str] = {
    # Its help.
    "Fetch, list and check models. No running service ever downloads one.": (
        "Télécharge, liste et vérifie les modèles. Un service qui tourne n'en télécharge jamais."
    ),
    "Fetch models; what lies there with the right checksum is not fetched again.": (
        "Télécharge des modèles ; ce qui est déjà là, avec la bonne somme, n'est pas repris."
    ),
    "List every model, and which are installed.": "Liste tous les modèles, et dit lesquels sont installés.",
    "Compute checksums afresh, of these models or of all that are installed. Exit status 1 if one is not right.": (
        "Recalcule les sommes de ces modèles, ou de tous ceux qui sont installés. "
        "Code de sortie 1 si l'une d'elles est fausse."
    ),
    "Print where an installed model lies.": "Affiche où se trouve un modèle installé.",
    "Where models lie.": "Où se trouvent les modèles.",
    "A models.toml of your own instead of the one that comes along.": (
        "Ton propre models.toml à la place de celui qui est fourni."
    ),
    "Models, as `list` names them.": "Des modèles, tels que `list` les nomme.",
    "A model, as `list` names it.": "Un modèle, tel que `list` le nomme.",
    "Everything that this profile needs.": "Tout ce dont ce profil a besoin.",
    "Every model there is.": "Tous les modèles qui existent.",
    "The hub of hf: sources, or a mirror of it.": "Le serveur des sources hf:, ou son miroir.",
    # What it tells.
    "say which: NAMES, --profile PROFILE or --all": "dis lesquels : NAMES, --profile PROFILE ou --all",
    "profile {profile} needs no model": "le profil {profile} n'a besoin d'aucun modèle",
    "no model is installed": "aucun modèle n'est installé",
    "state": "état",
    "size": "taille",
    "licence": "licence",
    "profiles": "profils",
    "purpose": "usage",
    "installed": "installé",
    "incomplete": "partiel",
    "missing": "absent",
    "ok": "correct",
    "broken": "abîmé",
    "unpinned": "inconnu",
    "{path} is ok": "{path} est correct",
    "{path} is missing": "{path} est absent",
    "{path} has no known sum yet": "{path} n'a pas encore de somme connue",
    "{path} is broken: expected {expected}, found {found}": "{path} est abîmé : attendu {expected}, trouvé {found}",
    "{model}: another pull is fetching it; waiting for that one": (
        "{model} : un autre téléchargement est en cours ; attente de sa fin"
    ),
    "{model}: {file} is there already": "{model} : {file} est déjà là",
    "{model}: {file} is pinned to sha256 {sum}": "{model} : {file} a désormais pour sha256 {sum}",
    "{done} of {total}": "{done} sur {total}",
}
