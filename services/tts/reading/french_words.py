"""What French writes short."""

from services.tts.reading.rules import word_set

# Such numerals are numbers after these words alone.
RULERS = word_set(
    """
    Louis Charles Henri François Philippe Napoléon Jean Pierre Paul Nicolas Alexandre Frédéric Guillaume Georges
    George Édouard Edouard Élisabeth Elisabeth Elizabeth Jacques Richard Marie Catherine Pie Benoît Grégoire
    Clément Innocent Léon Urbain Jules Sixte Boniface Albert Léopold Baudouin Alphonse Ferdinand Juan Carlos
    Felipe Isabelle Christian Gustave Oscar Harald Olav Ivan Ramsès Ptolémée Cléopâtre Darius Xerxès Constantin
    Théodose Justinien Soliman Mehmed Mohammed Hassan Abdallah Hussein Farouk Humbert Victor-Emmanuel Emmanuel
    Childéric Clovis Dagobert Clotaire Pépin Lothaire Robert Hugues Rainier Joseph Maximilien Sigismond Otton
    Conrad Étienne Bela Margrethe Wilhelmine Beatrix Pedro Alfonso Adrien Célestin Eugène Honorius Calixte
    Pascal
    """
)
NUMBERED_PARTS = word_set(
    """
    chapitre tome livre acte scène partie titre article annexe volume phase section guerre mondiale siècle type
    chap vol art fig sc
    niveau étape leçon épisode saison figure tableau classe catégorie groupe planche division chant psaume
    """
)

READ_ACRONYMS = word_set(
    """
    ONU OTAN UNESCO NASA SMIC OVNI INSEE ENA FIFA UEFA OPEP SIDA SARS COVID SAMU RAM ROM CAF BAC IKEA FNAC LASER
    RADAR GAFAM CROUS CAPES AFNOR INRIA INRAE ADEME EHPAD PACS SACEM SIRET SIREN CEDEX ASCII YAML GIF
    GAN ALGOL BASIC COBOL CUDA LAN WAN VRAM REST SOAP SAAS OK NON OUI LES DES UNE LA LE DU ET EST PAS AU AUX NE
    SE CE SA ON IL ELLE JE TU MA MON TON SON TA QUE QUI SUR PAR TOUT BON BIEN STOP JPEG MIDI NAS ARM
    """
)
SPELLED_ACRONYMS = word_set(
    """
    URSS IEEE AOC API URI IUT UIT EEE AIEA OEA ISBN ADSL OCDE
    """
)

MONTHS = (
    "janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre",
    "décembre",
)  # fmt: skip
MONTHS_SHORT = {
    "janv.": "janvier", "jan.": "janvier", "févr.": "février", "fév.": "février", "avr.": "avril", "juil.": "juillet",
    "sept.": "septembre", "oct.": "octobre", "nov.": "novembre", "déc.": "décembre",
}  # fmt: skip

# These may end a sentence, and then their dot is the sentence's, too.
LAST_WORDS = {
    "etc.": "et cetera", "etc…": "et cetera…", "etc": "et cetera", "J.-C.": "Jésus-Christ",
}  # fmt: skip
# Before `le Président`, before a name, in an address, anywhere, before a number.
POLITE = {
    "M.": "monsieur", "MM.": "messieurs", "Mme": "madame", "Mmes": "mesdames", "Mlle": "mademoiselle",
    "Mlles": "mesdemoiselles",
}  # fmt: skip
TITLES = {
    **POLITE, "Dr": "docteur", "Dr.": "docteur", "Drs": "docteurs", "Pr": "professeur",
    "Pr.": "professeur", "Prof.": "professeur", "Me": "maître", "Mgr": "monseigneur", "St": "saint", "Ste": "sainte",
    "St.": "saint", "Ste.": "sainte", "Sts": "saints", "Cie": "compagnie", "Cdt": "commandant", "Cne": "capitaine",
    "Gal": "général", "Mal": "maréchal", "Col": "colonel", "Lt": "lieutenant",
}  # fmt: skip
STREETS = {
    "bd": "boulevard", "bd.": "boulevard", "Bd": "boulevard", "blvd": "boulevard", "av.": "avenue", "pl.": "place",
    "rte": "route", "imp.": "impasse", "fg": "faubourg", "all.": "allée", "sq.": "square", "chem.": "chemin",
}  # fmt: skip
ABBREVIATIONS = {
    "p. ex.": "par exemple", "p.ex.": "par exemple", "par ex.": "par exemple", "ex. :": "exemple,",
    "XV de France": "quinze de France", "c.-à-d.": "c'est-à-dire", "c-à-d": "c'est-à-dire", "c.à.d.": "c'est-à-dire",
    "càd": "c'est-à-dire", "cf.": "confer", "i.e.": "c'est-à-dire", "e.g.": "par exemple", "n.b.": "nota bene",
    "NB :": "nota bene,", "A/R": "aller-retour", "H/F": "homme ou femme",
    "F/H": "femme ou homme", "p.-s.": "post-scriptum", "P.-S.": "post-scriptum", "av. J.-C.": "avant Jésus-Christ",
    "ap. J.-C.": "après Jésus-Christ", "apr. J.-C.": "après Jésus-Christ", "tél.": "téléphone", "max.": "maximum",
    "min.": "minimum", "env.": "environ", "qqn": "quelqu'un", "qqch": "quelque chose", "qqch.": "quelque chose",
    "svp": "s'il vous plaît", "SVP": "s'il vous plaît", "stp": "s'il te plaît", "STP": "s'il te plaît",
    "rdv": "rendez-vous", "RDV": "rendez-vous", "vs": "versus", "vs.": "versus", "ok": "OK",
    "M. et Mme": "monsieur et madame", "M. ou Mme": "monsieur ou madame", "Mme et M.": "madame et monsieur",
    "JSON": "JSON", "WIFI": "Wi-Fi", "C++": "C plus plus", "C#": "C sharp", "F#": "F sharp",
    "1/4 h": "un quart d'heure",
    "1/4 heure": "un quart d'heure", "3/4 h": "trois quarts d'heure", "1/2 h": "une demi-heure",
    "1/2 heure": "une demi-heure", "24h/24": "vingt-quatre heures sur vingt-quatre",
    "24 h/24": "vingt-quatre heures sur vingt-quatre", "7j/7": "sept jours sur sept", "7 j/7": "sept jours sur sept",
    "24h/24 et 7j/7": "vingt-quatre heures sur vingt-quatre et sept jours sur sept", "ndlr": "note de la rédaction",
}  # fmt: skip
BEFORE_NUMBERS = {
    "n°": "numéro", "nº": "numéro", "n °": "numéro", "N°": "numéro", "Nº": "numéro", "no.": "numéro",
    "n°s": "numéros", "nos": "nos", "№": "numéro", "p.": "page", "pp.": "pages", "vol.": "volume", "art.": "article",
    "chap.": "chapitre", "ch.": "chapitre", "fig.": "figure", "th.": "thermostat", "th": "thermostat",
    "§": "paragraphe", "§§": "paragraphes", "al.": "alinéa", "éd.": "édition", "t.": "tome", "l.": "ligne",
    "ex.": "exemple", "réf.": "référence", "ép.": "épisode", "env.": "environ", "app.": "appartement",
    "appt.": "appartement",
    "bât.": "bâtiment", "ca.": "environ",
}  # fmt: skip

IPA = {"cetera": "seteʁˈa", "versus": "vɛʁsˈys", "JSON": "dʒizˈɔn"}

# Only before words of the female kind `un` changes; the endings tell most of them, the rest stands here.
FEMININE = word_set(
    """
    fois personne page année heure minute seconde semaine journée nuit matinée soirée chose place pièce chambre
    table chaise voiture porte fenêtre rue ville maison femme fille mère sœur amie tasse cuillère bouteille
    boîte tranche pomme poire tomate carotte ligne lettre carte image photo vidéo phrase question réponse règle
    étape idée fonction méthode classe variable tâche erreur langue couleur équipe victoire défaite étoile
    planète île marche jambe main dent tête vie goutte dose tonne vache poule école entreprise usine banque
    région commune guerre bataille bombe couche partie liste plante fleur feuille clé machine pompe série
    chanson nouvelle voix demande offre commande facture adresse touche norme forme ampoule douzaine centaine
    dizaine vingtaine quinzaine brique roue pile piste cible calorie once unité fraise orange banane salade
    bière gousse pincée noix botte branche cuillerée poignée échalote aubergine courgette salle gare voie
    """
)
FEMININE_ENDING = r"(?:[stx]ion|ette|ance|[^l]ence|[^m]ité|auté|tude|euse|trice|esse|aison|[^m]ure)s?"
