"""`superwhisper doctor`."""

SENTENCES: dict[str, str] = {
    # Its help.
    "Look for everything that is commonly wrong, and tell how to mend it. Exit code 1 if something cannot work.": (
        "Cherche tout ce qui ne va pas d'ordinaire et dit comment y remédier. Code de sortie 1 si quelque chose ne "
        "peut pas marcher."
    ),
    "Check for this profile, whatever is set.": "Examine la machine pour ce profil, quels que soient les réglages.",
    "Do not compute the sums of the models.": "Ne calcule pas les sommes de contrôle des modèles.",
    "This subject alone, and others that are given so: settings, python, packages, gpu, cuda, containers, models, "
    "disk, ports, services, tls, sound, clock, terminal.": (
        "Ce sujet seulement, et d'autres donnés de même : settings, python, packages, gpu, cuda, containers, models, "
        "disk, ports, services, tls, sound, clock, terminal."
    ),
    # The subjects and the verdicts.
    "Settings": "Réglages",
    "Python": "Python",
    "Packages": "Paquets",
    "Graphics cards": "Cartes graphiques",
    "CUDA libraries": "Bibliothèques CUDA",
    "Containers": "Conteneurs",
    "Models": "Modèles",
    "Disk and memory": "Disque et mémoire",
    "Ports": "Ports",
    "Services": "Services",
    "TLS and tokens": "TLS et jetons",
    "Sound": "Son",
    "Clock": "Horloge",
    "Terminal": "Terminal",
    "warning": "à revoir",
    "problem": "problème",
    "n/a": "sans objet",
    "all is well": "tout va bien",
    "problems: {problems}, warnings: {warnings}": "problèmes : {problems}, points à revoir : {warnings}",
    "no problem, warnings: {warnings}": "aucun problème, points à revoir : {warnings}",
    # The examination itself.
    "exit code {code}": "code de sortie {code}",
    "{program} is gone": "{program} a disparu",
    "no answer within {limit:g} s": "pas de réponse en {limit:g} s",
    "this check itself broke: {error}": "cet examen a lui-même échoué : {error}",
    "something hangs: look at that first, then try again": "quelque chose est bloqué : vois cela, puis réessaie",
    "mend that, then try again": "corrige cela, puis réessaie",
    "please report it": "merci de le signaler",
    "the settings cannot be read: the graphics driver or the models folder hangs; try --profile embedded": (
        "impossible de lire les réglages : le pilote graphique ou le dossier des modèles est bloqué ; essaie "
        "--profile embedded"
    ),
    # Settings.
    "profile": "profil",
    "{profile}, as asked for": "{profile}, comme demandé",
    "{profile}, chosen by itself: {reason}": "{profile}, choisi automatiquement : {reason}",
    "to speak more than English: {command}": "pour parler autre chose que l'anglais : {command}",
    "it matters only where the services run": "il ne compte que là où tournent les services",
    "its services: {where}": "ses services : {where}",
    "cannot be read without the package {package}": "illisibles sans le paquet {package}",
    "mend that key; config/default.yaml has every key": "corrige cette clé ; config/default.yaml les contient toutes",
    "services": "services",
    "they run elsewhere: {address}": "ils tournent ailleurs : {address}",
    # Python and packages.
    "version": "version",
    "processor": "processeur",
    "environment": "environnement",
    "{bits} bit, {machine}": "{bits} bits, {machine}",
    "the system's own packages ({folder})": "les paquets du système lui-même ({folder})",
    "install Python 3.11, 3.12 or 3.13, and there: {command}": "installe Python 3.11, 3.12 ou 3.13, puis : {command}",
    "install the 64 bit Python: the model libraries have no other form": (
        "installe Python en 64 bits : les bibliothèques des modèles n'existent pas autrement"
    ),
    "all {count} packages are there": "tous les paquets sont là ({count})",
    "{package} is missing": "{package} manque",
    "{package} is {version}, but {wanted} is needed": "{package} est en version {version}, mais il faut {wanted}",
    "{package} cannot be imported: {why}": "impossible d'importer {package} : {why}",
    "importing it ends Python with code {code}": "l'importer arrête Python avec le code {code}",
    "not installed here; only needed to run it without a container: {command}": (
        "pas installés ici ; utiles seulement pour s'en servir sans conteneur : {command}"
    ),
    # Cards and CUDA.
    "cards": "cartes",
    "card {index}": "carte {index}",
    "driver": "pilote",
    "{name}, {uuid}, {free:.1f} of {total:.1f} GB free": "{name}, {uuid}, {free:.1f} Go libres sur {total:.1f}",
    "no NVIDIA card, and none is needed": "aucune carte NVIDIA, et il n'en faut pas",
    "none, and none is needed for this profile": "aucun, et ce profil n'en a pas besoin",
    "{services} need a card, but {why}": "carte nécessaire ({services}), mais {why}",
    "install NVIDIA's driver (Ubuntu: {command}), or use: {other}": (
        "installe le pilote de NVIDIA (Ubuntu : {command}), ou prends : {other}"
    ),
    "it is number {numbers}, as nvidia-smi counts; CUDA may count otherwise": (
        "c'est le numéro {numbers}, comme compte nvidia-smi ; CUDA compte parfois autrement"
    ),
    "takes number {index}, {name}": "prend le numéro {index}, {name}",
    "free the card (nvidia-smi shows who uses it), name another (--{service}.gpu.name), or use: {other}": (
        "libère la carte (nvidia-smi montre qui l'occupe), nommes-en une autre (--{service}.gpu.name), ou prends : "
        "{other}"
    ),
    "no engine of this profile uses a graphics card": "aucun moteur de ce profil n'utilise de carte graphique",
    "there is no NVIDIA card that could use it": "il n'y a pas de carte NVIDIA pour s'en servir",
    "{file} can be loaded": "{file} se charge",
    "{command}, and its folder into LD_LIBRARY_PATH": "{command}, et son dossier dans LD_LIBRARY_PATH",
    "it was built for the graphics card": "compilé pour la carte graphique",
    "it was built for the processor alone": "compilé pour le processeur seulement",
    # Containers.
    "runtime": "moteur",
    "neither docker nor podman; only needed to run the services in containers": (
        "ni docker ni podman ; utiles seulement pour faire tourner les services en conteneurs"
    ),
    "you may not use it: {complaint}": "tu n'as pas le droit de t'en servir : {complaint}",
    "it is installed, but does not answer: {complaint}": "installé, mais il ne répond pas : {complaint}",
    "there": "présent",
    "it is missing": "absent",
    "containers can use the graphics card": "les conteneurs peuvent utiliser la carte graphique",
    "containers cannot use the graphics card": "les conteneurs ne peuvent pas utiliser la carte graphique",
    # Models, disk and memory.
    "this profile needs no model": "ce profil n'a besoin d'aucun modèle",
    "not installed in {folder}": "pas installé dans {folder}",
    "{files} missing in {folder}": "il manque {files} dans {folder}",
    "{file} has {size} bytes instead of {expected}": "{file} fait {size} octets au lieu de {expected}",
    "right, {size} MB": "intact, {size} Mo",
    "there, {size} MB; its sums were not computed": "présent, {size} Mo ; ses sommes n'ont pas été calculées",
    "there, {size} MB, but nobody knows its right sum": "présent, {size} Mo, mais personne ne connaît sa vraie somme",
    "disk": "disque",
    "memory": "mémoire",
    "{free:.1f} GB free in {folder}; {needed:.1f} GB are needed": (
        "{free:.1f} Go libres dans {folder} ; il en faut {needed:.1f}"
    ),
    "make room, or put the models elsewhere: {variable}": "fais de la place, ou mets les modèles ailleurs : {variable}",
    "{total:.1f} GB; {needed:g} GB are needed": "{total:.1f} Go ; il en faut {needed:g}",
    "use smaller models: {other}": "prends de plus petits modèles : {other}",
    "this system does not tell how much there is; {needed:g} GB are needed": (
        "ce système ne dit pas combien il y en a ; il en faut {needed:g} Go"
    ),
    # Ports and services.
    "free": "libres",
    "used by our services": "à nos services",
    "{name} (process {pid})": "{name} (processus {pid})",
    "process {pid}": "le processus {pid}",
    "another program": "un autre programme",
    "taken by {owner}, which is not our {service}": "pris par {owner}, qui n'est pas notre {service}",
    "stop that program, or take another port: {setting} PORT": (
        "arrête ce programme, ou prends un autre port : {setting} PORT"
    ),
    "{address} cannot be listened on: it is reserved, or not this machine's": (
        "impossible d'écouter sur {address} : l'adresse est réservée, ou n'est pas à cette machine"
    ),
    "take another: {setting} PORT": "prends-en un autre : {setting} PORT",
    "none of the services runs; they may be started now": "aucun service ne tourne ; tu peux les démarrer",
    "make run, or: {command}": "make run, ou : {command}",
    "it loads its models, or none of its engines works: wait (superwhisper status --wait 60), then read its log": (
        "il charge ses modèles, ou aucun de ses moteurs ne marche : attends (superwhisper status --wait 60), puis lis "
        "son journal"
    ),
    "check the address, the network, and credentials.tls_ca of client.{name}": (
        "vérifie l'adresse, le réseau, et credentials.tls_ca de client.{name}"
    ),
    "mend client.{name}.address in the settings": "corrige client.{name}.address dans les réglages",
    "name its file in client.{name}.credentials.token_file": (
        "indique le fichier du jeton dans client.{name}.credentials.token_file"
    ),
    "read the log of that service": "lis le journal de ce service",
    "first reply": "première réponse",
    "the assistant does not serve": "l'assistant n'est pas en service",
    "Hello!": "Bonjour !",
    "first word after {first:.2f} s, complete after {complete:.2f} s, by {engine}": (
        "premier mot après {first:.2f} s, complète après {complete:.2f} s, par {engine}"
    ),
    "use a smaller model: {other}": "prends un plus petit modèle : {other}",
    "none within {limit:g} s": "aucune en {limit:g} s",
    "the turn was not completed": "le tour n'est pas allé à son terme",
    "the assistant ended the conversation": "l'assistant a mis fin à la conversation",
    "superwhisper status; the log of the mind says what keeps it": (
        "superwhisper status ; le journal de l'esprit (llm) dit ce qui le retient"
    ),
    # TLS and tokens.
    "none is set, and none is needed within one machine": (
        "rien n'est réglé, et rien n'est nécessaire sur une seule machine"
    ),
    "{address} is another machine, and would be spoken to in the clear": (
        "{address} est une autre machine, et tout lui serait dit en clair"
    ),
    "valid until {day}": "valable jusqu'au {day}",
    "it expires on {day}": "il expire le {day}",
    "it expired on {day}": "il a expiré le {day}",
    "have a new one made, and put it there": "fais-en faire un nouveau, et mets-le là",
    "{path} holds no certificate": "{path} ne contient pas de certificat",
    "mend the path in the settings, or the file's permissions": (
        "corrige le chemin dans les réglages, ou les droits du fichier"
    ),
    "it fits to its certificate": "elle va avec son certificat",
    "it does not fit to {certificate} ({reason})": "elle ne va pas avec {certificate} ({reason})",
    "set the key that belongs to the certificate": "indique la clé qui va avec le certificat",
    "readable": "lisible",
    "put the token of the services there": "mets-y le jeton des services",
    "others on this machine may read it": "d'autres que toi peuvent le lire sur cette machine",
    "{peer}: handshake": "{peer} : poignée de main",
    "{address} shows a certificate that holds": "{address} présente un certificat qui tient",
    "the certificate of {address} is refused: {reason}": "le certificat de {address} est refusé : {reason}",
    "set tls_ca to the CA that signed it, or have a new one made for that name": (
        "indique dans tls_ca l'autorité qui l'a signé, ou fais-en faire un nouveau pour ce nom"
    ),
    "{address} does not shake hands: {reason}": "{address} refuse la poignée de main : {reason}",
    "is it running, with TLS, at that address?": "tourne-t-il bien à cette adresse, avec TLS ?",
    # Sound.
    "System Settings → Privacy & Security → Microphone": "Réglages Système → Confidentialité et sécurité → Micro",
    "Settings → Privacy & security → Microphone → Let desktop apps access your microphone": (
        "Paramètres → Confidentialité et sécurité → Microphone → Autoriser les applications de bureau"
    ),
    "microphone": "micro",
    "loudspeaker": "haut-parleur",
    "{device}, {rate} Hz": "{device}, {rate} Hz",
    "none is wanted, by the settings": "les réglages n'en veulent pas",
    "superwhisper devices, then set client.{setting}": "superwhisper devices, puis règle client.{setting}",
    "there is none that may be used: text and files work, voice does not": (
        "aucun n'est utilisable : le texte et les fichiers marchent, pas la voix"
    ),
    "plug one in; see `superwhisper devices`": "branches-en un ; vois `superwhisper devices`",
    "plug one in, and allow it: {place}": "branches-en un, et autorise-le : {place}",
    "sound system": "système de son",
    "if nothing is heard of you: {place}": "si l'on ne t'entend pas : {place}",
    "nothing is known of this system": "on ne sait rien de ce système",
    "neither a sound server nor a sound card": "ni serveur de son ni carte son",
    "no sound server, and you may not use the sound card": (
        "pas de serveur de son, et tu n'as pas le droit d'utiliser la carte son"
    ),
    "the sound card itself (ALSA): one program at a time": "la carte son elle-même (ALSA) : un programme à la fois",
    "echo cancellation": "annulation d'écho",
    "it can run": "elle peut tourner",
    "it cannot run ({reason}): it does not listen while it speaks": (
        "elle ne peut pas tourner ({reason}) : l'assistant n'écoute pas pendant qu'il parle"
    ),
    "not wanted, by the settings (client.echo: {setting})": "les réglages n'en veulent pas (client.echo : {setting})",
    "wake word": "mot d'éveil",
    "{word} cannot be heard ({reason})": "impossible d'entendre {word} ({reason})",
    "{found}; it is not asked for": "{found} ; il n'est pas demandé",
    "{command}, or set client.listen: continuous": "{command}, ou règle client.listen : continuous",
    # Clock and terminal.
    "date": "date",
    "{now}, which is before this program was installed ({then})": (
        "{now} : c'est avant l'installation de ce programme ({then})"
    ),
    "set the clock: {command}": "mets l'horloge à l'heure : {command}",
    "stopwatch": "chronomètre",
    "it never runs backwards": "il ne recule jamais",
    "it may run backwards, or goes in steps of {step:.0f} ms": "il peut reculer, ou avance par pas de {step:.0f} ms",
    "do not trust the times that are told": "ne te fie pas aux durées annoncées",
    "synchronised": "synchronisée",
    "by the network": "par le réseau",
    "not by the network: it may drift": "pas par le réseau : elle peut dériver",
    "this system does not tell": "ce système ne le dit pas",
    "(Settings → Time & language → Sync now)": "(Paramètres → Heure et langue → Synchroniser maintenant)",
    "encoding": "encodage",
    "{encoding}: accents and symbols are left out": ("{encoding} : les accents et les symboles sont omis"),
    "view": "affichage",
    "{width} columns": "{width} colonnes",
    "{width} columns are too few for the view": "{width} colonnes, c'est trop peu pour l'affichage",
    "make the window wider: {wanted} columns": "élargis la fenêtre : {wanted} colonnes",
    "this output is no terminal: `talk` writes plain lines there": (
        "cette sortie n'est pas un terminal : `talk` y écrit de simples lignes"
    ),
    "this terminal cannot place text: `talk` writes plain lines there": (
        "ce terminal ne sait pas placer le texte : `talk` y écrit de simples lignes"
    ),
}
