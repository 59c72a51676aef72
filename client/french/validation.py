"""`superwhisper validate` and `superwhisper go-nogo`."""

SENTENCES: dict[str, str] = {
    # The help of validate.
    "Validate the assistant by ear: say what is shown, listen, and judge.": (
        "Valide l'assistant à l'oreille : dis ce qui s'affiche, écoute, puis juge."
    ),
    "What was understood, how many words were wrong, how long it took and what you think of it goes into a dated "
    "report.": (
        "Ce qui a été compris, le nombre de mots erronés, les temps mesurés et ton avis sont consignés dans un rapport "
        "daté."
    ),
    "It takes some ten minutes, a microphone and a loudspeaker. Ctrl-C keeps what was done, as incomplete.": (
        "Il faut une dizaine de minutes, un micro et un haut-parleur. Ctrl-C conserve ce qui a été fait, marqué comme "
        "incomplet."
    ),
    "With --wavs, recordings are spoken instead and nobody judges: that is not a human validation.": (
        "Avec --wavs, ce sont des enregistrements qui parlent, et personne ne juge : ce n'est pas une validation "
        "humaine."
    ),
    "Speak NAME.wav, which says what NAME.txt holds; no person.": (
        "Fait entendre NOM.wav, qui dit ce que contient NOM.txt ; sans personne."
    ),
    "Where the report goes.": "Où va le rapport.",
    "Only this part: short, long, noise, distance, conversation or interruption; repeatable.": (
        "Seulement cette partie : short, long, noise, distance, conversation ou interruption ; peut être répété."
    ),
    "Who validates, so that nobody asks.": "Qui valide, pour que la question ne soit pas posée.",
    # The help of go-nogo.
    "Tell whether a release may go, and on what evidence. Exit code 0 for a go, 1 for a no-go.": (
        "Dit si une version peut sortir, et sur quelles preuves. Code de sortie 0 pour GO, 1 pour NO-GO."
    ),
    "What was not measured is never a go, nor what is older than 30 days, nor tests of other code; figures and "
    "verdicts of other code count, and say so. The services are started for a moment, to see that they refuse an "
    "address that others can reach.": (
        "Ce qui n'a pas été mesuré n'est jamais un GO, ni ce qui date de plus de 30 jours, ni les tests d'un autre "
        "code ; les chiffres et les verdicts d'un autre code comptent, et le disent. Les services sont démarrés un "
        "instant, pour voir s'ils refusent une adresse que d'autres peuvent atteindre."
    ),
    'What make bench ARGS="--json FILE" wrote.': 'Ce que `make bench ARGS="--json FICHIER"` a écrit.',
    "Where the reports of `validate` are.": "Où sont les rapports de `validate`.",
    "What pytest --junitxml=FILE wrote.": "Ce que pytest --junitxml=FICHIER a écrit.",
    "Metrics of a running orchestrator.": "Les métriques d'un orchestrateur en marche.",
    # The protocol.
    "A short sentence": "Une phrase courte",
    "A long sentence": "Une phrase longue",
    "With noise": "Avec du bruit",
    "From a distance": "À distance",
    "A whole conversation": "Une conversation entière",
    "An interruption": "Une interruption",
    "Other recordings": "Autres enregistrements",
    "In a quiet room, half a metre from the microphone, as you talk with people.": (
        "Dans une pièce calme, à cinquante centimètres du micro, comme tu parles à quelqu'un."
    ),
    "As before, in one go, without haste.": "De même, d'une traite, sans te presser.",
    "Now make noise: a radio, a fan, an open window. Leave it on for these sentences.": (
        "Maintenant, fais du bruit : une radio, un ventilateur, une fenêtre ouverte. Garde-le pendant ces phrases."
    ),
    "Quiet again. Go three metres away from the microphone, and speak no louder than needed.": (
        "De nouveau au calme. Éloigne-toi à trois mètres du micro, et ne parle pas plus fort qu'il ne faut."
    ),
    "Come back. Some turns that belong together; listen to each reply to its end.": (
        "Reviens. Quelques échanges qui se suivent ; écoute chaque réponse jusqu'au bout."
    ),
    "Say the first sentence. While the assistant replies, the second one appears: say it.": (
        "Dis la première phrase. Pendant que l'assistant répond, la seconde s'affiche : dis-la."
    ),
    # What a person is asked.
    "Microphone: {microphone}; loudspeaker: {loudspeaker}.": "Micro : {microphone} ; haut-parleur : {loudspeaker}.",
    "What is understood of your words goes into the report; no audio is kept. Ctrl-C ends.": (
        "Ce qui est compris de tes paroles va dans le rapport ; aucun son n'est conservé. Ctrl-C arrête."
    ),
    "Who validates? [{name}] ": "Qui valide ? [{name}] ",
    "Now, into the reply:": "Maintenant, pendant la réponse :",
    "Press Enter, then say it: ": "Appuie sur Entrée, puis dis-la : ",
    "Nothing was understood. Enter tries again, any letter goes on without: ": (
        "Rien n'a été compris. Entrée pour réessayer, une lettre pour continuer sans : "
    ),
    "\nYour ratings: 1 (unusable) to 5 (perfect)": "\nTes notes : de 1 (inutilisable) à 5 (parfait)",
    "Transcription: were you understood? ": "Transcription : as-tu été compris ? ",
    "Fluidity: did it answer when a person would? ": "Fluidité : a-t-il répondu quand une personne l'aurait fait ? ",
    "Audio quality: is its voice pleasant, without dropouts? ": (
        "Qualité audio : sa voix est-elle agréable, sans coupures ? "
    ),
    "A number from 1 to 5, please.": "Un chiffre de 1 à 5, s'il te plaît.",
    "Verdict: [v]alidated, with [r]eservations, to [c]orrect: ": "Verdict : [v]alidé, avec [r]éserves, à [c]orriger : ",
    "v, r or c, please.": "v, r ou c, s'il te plaît.",
    "Comments, in one line (Enter: none): ": "Commentaires, sur une ligne (Entrée : aucun) : ",
    "An action that is needed (Enter: no more): ": "Une action à mener (Entrée : plus aucune) : ",
    "nobody answers any more: the input has ended": "plus personne ne répond : l'entrée est terminée",
    # What goes wrong.
    "{folder} is no folder: name one with WAV files": (
        "{folder} n'est pas un dossier : indique-en un avec des fichiers WAV"
    ),
    "{folder} holds no WAV file: put NAME.wav and NAME.txt there": (
        "{folder} ne contient aucun fichier WAV : mets-y NOM.wav et NOM.txt"
    ),
    "{folder} holds no recording of this step: names begin with it": (
        "{folder} ne contient aucun enregistrement de cette étape : les noms commencent par elle"
    ),
    "{path}, which tells what is said in {wav}, cannot be read: {reason}": (
        "{path}, qui indique ce qui est dit dans {wav}, ne peut pas être lu : {reason}"
    ),
    "{path} is not UTF-8 text": "{path} n'est pas du texte UTF-8",
    "{path} holds no words: write what is said in {wav}": (
        "{path} ne contient aucun mot : écris-y ce qui est dit dans {wav}"
    ),
    "an interruption is two recordings, a question and what is said into its reply; {name}.wav is alone": (
        "une interruption, c'est deux enregistrements : une question et ce qui est dit pendant sa réponse ; {name}.wav "
        "est seul"
    ),
    "the protocol is written in {known}, not in {code}: choose one with --language": (
        "le protocole est écrit en {known}, pas en {code} : choisis une langue avec --language"
    ),
    "the step `other` is that of recordings: give --wavs FOLDER, or another step": (
        "l'étape `other` est celle des enregistrements : donne --wavs DOSSIER, ou une autre étape"
    ),
    "there is no microphone here: plug one in, name it in client.microphone, or give --wavs FOLDER": (
        "il n'y a pas de micro ici : branche-en un, nomme-le dans client.microphone, ou donne --wavs DOSSIER"
    ),
    "there is no loudspeaker here: plug one in, or name it in client.loudspeaker": (
        "il n'y a pas de haut-parleur ici : branche-en un, ou nomme-le dans client.loudspeaker"
    ),
    "{folder} cannot be written to: {reason}; name another with --out": (
        "impossible d'écrire dans {folder} : {reason} ; indique un autre dossier avec --out"
    ),
    "connection lost": "connexion perdue",
    "{device} was gone": "{device} avait disparu",
    "it was broken off": "elle a été interrompue",
    # The report.
    "The report: {path}": "Le rapport : {path}",
    "recordings were spoken, and nobody listened; it counts as no verdict": (
        "Ce n'est pas une validation humaine : des enregistrements ont parlé, et personne n'a écouté ; cela ne vaut "
        "aucun verdict"
    ),
    "INCOMPLETE": "INCOMPLÈTE",
    "**{name}**: {value}": "**{name}** : {value}",
    "Date": "Date",
    "Validator": "Validateur",
    "Type of test": "Type de test",
    "Language": "Langue",
    "Machine": "Machine",
    "Graphics card": "Carte graphique",
    "Profile": "Profil",
    "Assistant": "Assistant",
    "Engines": "Moteurs",
    "Version": "Version",
    "recordings": "enregistrements",
    "a person, full protocol": "une personne, protocole complet",
    "a person, part of the protocol": "une personne, une partie du protocole",
    "Steps": "Étapes",
    "What was understood": "Ce qui a été compris",
    "Nothing was said.": "Rien n'a été dit.",
    "Step": "Étape",
    "Sentence shown": "Phrase affichée",
    "Understood": "Compris",
    "Voice to voice": "De voix à voix",
    "Remarks": "Remarques",
    "Word error rate of all sentences: {rate:.1f}% ({errors} errors, {words} words). Figures count as words of "
    "their own: “2” is not “two”.": (
        "Taux d'erreur sur les mots de toutes les phrases : {rate:.1f} % ({errors} erreurs, {words} mots). Les "
        "chiffres sont des mots à part : « 2 » n'est pas « deux »."
    ),
    "said {times} times": "dite {times} fois",
    "Times since the last word, in ms": "Temps depuis le dernier mot, en ms",
    "Stage": "Phase",
    "Turns": "Tours",
    "Speaking into a reply": "Parler pendant une réponse",
    "the reply was not interrupted": "la réponse n'a pas été interrompue",
    "interrupted; how soon it fell silent was not told": "interrompue ; le délai avant le silence n'a pas été indiqué",
    "interrupted; silent after {ms} ms": "interrompue ; silence après {ms} ms",
    "Ratings": "Notes",
    "Transcription": "Transcription",
    "Fluidity": "Fluidité",
    "Audio quality": "Qualité audio",
    "not rated": "non noté",
    "Verdict": "Verdict",
    "validated": "validé",
    "with reservations": "avec réserves",
    "to correct": "à corriger",
    "Comments": "Commentaires",
    "Actions": "Actions",
    # Go or no go.
    "Condition": "Condition",
    "Evidence": "Preuve",
    "go": "GO",
    "no-go": "NO-GO",
    "stale": "périmé",
    "not measured": "non mesuré",
    "95 of 100 turns answered in less than 1.2 s": "95 tours sur 100 ont leur réponse en moins de 1,2 s",
    "More than 99 % of turns succeed": "Plus de 99 % des tours réussissent",
    "All tests pass": "Tous les tests passent",
    "Validated by a person who listened": "Validé par une personne qui a écouté",
    "No service listens to others without TLS and a token": "Aucun service n'écoute autrui sans TLS ni jeton",
    "Tokens and keys are for their owner alone": "Jetons et clés ne sont lisibles que par leur propriétaire",
    "Others reach nothing in clear": "Rien n'est joignable en clair par d'autres",
    "{days} days old": "vieux de {days} jours",
    "the code has changed since": "le code a changé depuis",
    "it is from the future ({date}): is the clock right?": "cela vient du futur ({date}) : l'horloge est-elle juste ?",
    "scripted engines: it says nothing of real ones; measure a running stack with --address and --wav": (
        "moteurs simulés : cela ne dit rien des vrais ; mesure des services en marche avec --address et --wav"
    ),
    "it holds no times from voice to voice": "il ne contient aucun temps de voix à voix",
    "it does not tell how turns ended": "il ne dit pas comment les tours ont fini",
    "the P95 is no time: {value}": "le P95 n'est pas un temps : {value}",
    "no reply was to be heard, so nothing was said into it": (
        "aucune réponse ne s'est fait entendre : rien n'a pu être dit par-dessus"
    ),
    "format {found!r}, where {known} is known": "format {found!r}, là où {known} est connu",
    "{rate:.0f}%": "{rate:.0f} %",
    "nobody told how it ended": "personne n'a dit comment cela s'est terminé",
    "P95 {ms:.0f} ms of {turns} turns": "P95 de {ms:.0f} ms sur {turns} tours",
    "{failed} of {turns} turns failed: that cannot be": "{failed} tours sur {turns} ont échoué : c'est impossible",
    "{share:.2f}% of {turns} turns": "{share:.2f} % de {turns} tours",
    "{turns} turns only, and it takes {needed}": "{turns} tours seulement, et il en faut {needed}",
    "it is no JSON, or cut off: {problem}": "ce n'est pas du JSON, ou il est tronqué : {problem}",
    "it holds other figures than those of `make bench`": "il contient d'autres chiffres que ceux de `make bench`",
    "its date cannot be read: {problem}": "sa date est illisible : {problem}",
    "{name} is no number: {value!r}": "{name} n'est pas un nombre : {value!r}",
    "no running orchestrator tells its metrics ({problem})": (
        "aucun orchestrateur en marche ne donne ses métriques ({problem})"
    ),
    "P95 {ms:.0f} ms, of {few}": "P95 {ms:.0f} ms, sur {few}",
    "what answers there tells no metrics ({problem})": "ce qui répond là ne donne pas de métriques ({problem})",
    "it tells no such metric: is it an orchestrator of this version?": (
        "il ne donne pas cette métrique : est-ce un orchestrateur de cette version ?"
    ),
    "there was no spoken turn yet": "il n'y a encore eu aucun tour de parole",
    "there was no turn yet": "il n'y a encore eu aucun tour",
    "it is no XML, or cut off: {problem}": "ce n'est pas du XML, ou il est tronqué : {problem}",
    "it holds no tests of pytest's": "il ne contient aucun test de pytest",
    "it is of another kind than pytest's: {problem}": "il est d'une autre sorte que ceux de pytest : {problem}",
    "{tests} tests, {failed} failed, {skipped} skipped": "{tests} tests, {failed} en échec, {skipped} sautés",
    "not one test was run": "pas un seul test n'a été exécuté",
    "only a part was run: {missing} files are missing, {first} is one": (
        "une partie seulement a été exécutée : il manque {missing} fichiers, dont {first}"
    ),
    "it cannot be read ({problem})": "illisible ({problem})",
    "no person has validated: `superwhisper validate`": "personne n'a validé : `superwhisper validate`",
    "it was not finished: {why}": "elle n'a pas été terminée : {why}",
    "it holds no verdict": "elle ne contient aucun verdict",
    "only a part was validated; missing: {steps}": "une partie seulement a été validée ; il manque : {steps}",
    "{verdict} by {validator}; {transcription}, {fluidity} and {audio} of 5": (
        "{verdict} par {validator} ; {transcription}, {fluidity} et {audio} sur 5"
    ),
    "{service} did not refuse {host} within {seconds:g} s": "{service} n'a pas refusé {host} en {seconds:g} s",
    "{service} took {host}": "{service} a accepté {host}",
    "{service} does not start here: {reason}": "{service} ne démarre pas ici : {reason}",
    "{service} refuses {host}": "{service} refuse {host}",
    "no token and no key is used": "aucun jeton, aucune clé n'est utilisé",
    "the settings": "les réglages",
    "Windows does not tell it so: look at its security page": (
        "Windows ne l'indique pas ainsi : regarde l'onglet Sécurité de ses propriétés"
    ),
    "others may use it ({mode}): chmod 600 {path}": "d'autres peuvent s'en servir ({mode}) : chmod 600 {path}",
    "its owner alone may read it": "seul son propriétaire peut le lire",
    "others reach, without TLS: {names}": "d'autres atteignent, sans TLS : {names}",
    "no service runs here: start them with `make run`": "aucun service ne tourne ici : démarre-les avec `make run`",
    "none but loopback": "aucune hormis la boucle locale",
    "nothing in clear for others; ports {ports}, knocked at {addresses}": (
        "rien en clair pour d'autres ; ports {ports}, adresses essayées : {addresses}"
    ),
}
