"""Templates of routine news stories with slots to fill in, made up, in ten languages. Data only."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Family:
    """A template: `{name}` is filled from `words`, `{#low-high}` with a number, and `{story}` with one of `stories`."""

    name: str
    title: str
    text: str
    words: Mapping[str, str] = field(default_factory=dict)
    stories: tuple[str, ...] = ()


_DAYS = "Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday"
_NUMBERS = "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"
_NAMES = "Ilse Tamm|Joren Kask|Marta Lind|Peeter Saar|Anneli Roos|Karl Vaher|Liis Oja|Toomas Rebane|Helve Mets|Aivar Kuusk|Rein Pärn|Siiri Luik"
_PLACES = "Skarv|Norrvik|Hallen|Ostby|Vestra|Kalmor|Tornby|Lundsey|Harrow Bay|Quayside|Elmstead|Brackford"
_CLUBS = "Harriers|Rovers|Wanderers|Athletic|Albion|Rangers|Dockers|Mariners|Corinthians|Celtic|Thistle|Swifts"

FAMILIES: tuple[Family, ...] = (
    Family(
        "bulletin-en",
        "Outlook for {day}",
        "{day} starts {sky} on both sides of the sound, and stays so until the evening, when a {wind} breeze sets in from the "
        "north. It will be {feel} inland and somewhat fresher on the shore. Waves are {sea} outside the breakwater, and those "
        "who go out in small boats should tell the harbour office first. In the hills {fall} is possible after noon, while the "
        "lowlands have nothing to fear. Those who travel over the moor are advised to leave early and to take a blanket along. "
        "The next outlook is given at sunset, and as always it can be heard on the radio of the coast.",
        {
            "day": _DAYS,
            "sky": "grey|clear|hazy|overcast|misty",
            "wind": "light|stiff|gusty|weak|steady",
            "feel": "mild|chilly|warm|cool|icy",
            "sea": "low|high|choppy|short|long",
            "fall": "rain|snow|sleet|drizzle|hail",
        },
    ),
    Family(
        "bulletin-de",
        "Das Wetter am {day}",
        "Am {day} bleibt es im ganzen Land {sky}, erst gegen Abend ändert sich das Bild von Westen her. Der Wind weht {wind} "
        "aus nördlichen Richtungen und lässt in der Nacht nach. In den Tälern ist es {feel}, an der Küste fühlt es sich etwas "
        "frischer an. Auf den Pässen ist mit {fall} zu rechnen, Autofahrer sollten dort Ketten mitführen und mehr Zeit "
        "einplanen. Die Wellen vor der Küste sind {sea}, kleine Boote bleiben besser im Hafen. Der Wetterdienst meldet sich "
        "am nächsten Morgen wieder, Warnungen stehen wie immer auf der Tafel am Rathaus und im Radio.",
        {
            "day": "Montag|Dienstag|Mittwoch|Donnerstag|Freitag|Samstag",
            "sky": "heiter|bedeckt|neblig|wechselhaft|klar",
            "wind": "schwach|mäßig|stürmisch|böig|kräftig",
            "feel": "mild|kalt|warm|schwül|frostig",
            "sea": "niedrig|hoch|kurz|lang|steil",
            "fall": "Schnee|Regen|Hagel|Glätte|Nebel",
        },
    ),
    Family(
        "bulletin-ja",
        "{day}の天気",
        "{day}の島の天気は{sky}で、夕方から北の風がやや強まる見込みです。内陸では{feel}日となり、海沿いではそれより少し低い気温でしょう。沖の波は{sea}、小さな船で出る人は港の事務所に知らせてください。"
        "山では午後から{fall}が降るところがあり、峠を通る車はチェーンを用意してください。次の予報は日没のころに発表し、沿岸ラジオでも放送します。",
        {
            "day": "月曜日|火曜日|水曜日|木曜日|金曜日|土曜日",
            "sky": "晴れ|曇り|霧|雨のち晴れ|快晴",
            "feel": "暖かい|寒い|涼しい|蒸し暑い|冷え込む",
            "sea": "高く|低く|やや高く|穏やかで|荒く",
            "fall": "雪|雨|みぞれ|霰|あられ",
        },
    ),
    Family(
        "match-en",
        "{club1} against {club2}",
        "{club1} came out on top of {club2} by {number1} to {number2} on Saturday, in a game that nobody could call before its "
        "closing minutes. The decisive goal was {name1}'s, who turned in a cross at the far post. The {crowd} spectators had "
        "braved the wind to see it. The referee had a quiet afternoon and kept his cards in his pocket for most of it. The round "
        "is completed on Wednesday, when the two games that were put off for the frost are played at last. Entrance is paid at the "
        "gate, those under twelve come in for nothing, and the buffet behind the stand is run by the parents of the juniors.",
        {
            "club": _CLUBS,
            "number": _NUMBERS,
            "name": _NAMES,
            "crowd": "two hundred|three hundred|four hundred|six hundred|ninety",
        },
    ),
    Family(
        "match-es",
        "{club1} gana a {club2}",
        "El {club1} venció al {club2} por {number1} a {number2} este domingo en un partido que no se decidió hasta los últimos "
        "minutos. El gol de la victoria lo marcó {name1} de cabeza tras un saque de esquina. El árbitro mostró pocas tarjetas y "
        "tuvo una tarde tranquila en un campo pesado por la lluvia. La jornada se completa el miércoles, cuando se juegan los dos "
        "encuentros que fueron aplazados por la nieve. Las entradas se venden en la taquilla como siempre, los niños no pagan y el "
        "bar detrás de la grada lo llevan los padres de los juveniles.",
        {
            "club": "Deportivo Norte|Atlético Faro|Unión Puerto|Racing Valle|Real Laguna|Sporting Cabo",
            "number": "uno|dos|tres|cuatro|cinco|seis",
            "name": "Ortega|Salinas|Robles|Mendoza|Vidal|Acosta|Lozano",
        },
    ),
    Family(
        "match-de",
        "{club1} gegen {club2}",
        "{club1} hat am Samstag gegen {club2} mit {number1} zu {number2} gewonnen, nach einem Spiel, das erst in den letzten Minuten "
        "entschieden wurde. Das entscheidende Tor schoss {name1} nach einer Ecke von der rechten Seite. Der Schiedsrichter hatte "
        "wenig Mühe mit beiden Mannschaften und ließ die Karten meist stecken. Der Spieltag wird am Mittwoch fortgesetzt, dann "
        "werden die beiden Partien nachgeholt, die wegen des Frostes ausgefallen waren. Karten gibt es wie immer an der Kasse, "
        "Kinder zahlen nichts, und den Stand hinter der Tribüne betreiben die Eltern der Jugend.",
        {
            "club": "Hafenstadt|Nordheim|Seeblick|Altdorf|Bergen|Talhausen|Neukirch",
            "number": "eins|zwei|drei|vier|fünf|sechs",
            "name": "Brandt|Keller|Vogel|Lorenz|Winkler|Seidel|Pohl",
        },
    ),
    Family(
        "tender-en",
        "Offers wanted: {work}",
        "The parish board asks for offers for the {work}. Offers are to be handed in at the parish office, 9 Mill Lane, second floor, "
        "not later than 10:00 on 18.01.2027, in 3 copies, of which 1 on paper. The sum must not pass {#11-980},000 crowns. Each offer "
        "binds the bidder for 60 days. The papers cost 30 crowns and lie at the office from 8:30 to 15:30, telephone 0800 411 207, "
        "notice 2027/4. Opening is in public at 11:15 in room 12. The board decides within 21 days on the price alone, by section 14 "
        "of the act of 2016, and pays 30 days after the work is done. Complaints reach the board of appeal within 14 days.",
        {
            "work": "new floor of the gym|snow clearing of the lanes|painting of the church tower|drain under Mill Lane|lamps along the quay"
        },
    ),
    Family(
        "tender-fr",
        "Avis de marché : {work}",
        "La commune lance un appel d'offres pour {work}. Les plis doivent parvenir à la mairie, 6 place du Marché, bureau 14, avant le "
        "22.02.2027 à 12:00, en 2 exemplaires dont 1 sur papier. Le montant ne peut dépasser {#12-940} 000 euros. Les offres engagent "
        "leur auteur pendant 90 jours. Le dossier coûte 20 euros et peut être retiré au guichet de 9:00 à 17:00, téléphone 04 55 12 "
        "30, avis 2027/31. L'ouverture des plis est publique, à 14:30 en salle 3. La commune se prononce sous 30 jours sur le seul "
        "critère du prix, selon l'article 27 de la loi de 2015, et règle à 45 jours. Les recours se font sous 10 jours au tribunal.",
        {
            "work": "la toiture de l'école|la réfection du pont|le chauffage de la salle des fêtes|l'éclairage du port|la digue du nord"
        },
    ),
    Family(
        "court-en",
        "{name1} before the magistrate",
        "{name1}, {#19-78}, of {place1}, appeared before the magistrate on {day} accused of {deed}. The accused entered no plea and was "
        "released until the next hearing, which is set for the coming month in the same room. The court heard that the police were "
        "called to the scene by a neighbour and that nobody was hurt. The magistrate reminded those present that nothing may be "
        "published that could identify a witness, and that cameras and telephones are to be left with the usher at the door. The "
        "lists of the court are printed here as a service to the public, without any view on the outcome of a case.",
        {
            "name": _NAMES,
            "place": _PLACES,
            "day": _DAYS,
            "deed": "driving without a licence|breaking a window|taking a bicycle|fishing without a permit|making false calls|letting a dog run loose",
        },
    ),
    Family(
        "market-en",
        "Shares close {way}",
        "Shares on the island exchange closed {way} on {day}. The index of the twenty largest companies ended the day at {#1180-1890}.{#10-99/a} "
        "points, after {#1180-1890/b}.{#10-99/c} the day before, and {#2-19} million crowns changed hands. {firm1} led the list with a change "
        "of {#1-6}.{#1-9/d} percent, while {firm2} was at the other end of it. Dealers said that trade was thin and that most wait for "
        "the figures of the central bank, which are due next week. Government bonds were little changed. All prices are as of the "
        "close, without any guarantee, and no advice to buy or to sell.",
        {
            "way": "higher|lower|firmer|weaker|unchanged",
            "day": _DAYS,
            "firm": "Norsteel|Havn Shipping|Baltwood|Skarv Foods|Lumen Power|Ostbank|Tideway",
        },
    ),
    Family(
        "market-de",
        "Börse schließt {way}",
        "Die Inselbörse hat am {day} {way} geschlossen. Der Index der zwanzig größten Werte ging bei {#1180-1890},{#10-99/a} Punkten aus dem "
        "Handel, nach {#1180-1890/b},{#10-99/c} am Vortag, der Umsatz erreichte {#2-19} Millionen Kronen. An der Spitze stand {firm1} mit einer "
        "Veränderung von {#1-6},{#1-9/d} Prozent, am Ende der Liste fand sich {firm2}. Händler sprachen von dünnen Umsätzen, viele "
        "warteten auf die Zahlen der Notenbank in der kommenden Woche. Anleihen bewegten sich kaum. Alle Kurse ohne Gewähr, sie "
        "sind keine Aufforderung zum Kauf oder Verkauf.",
        {
            "way": "fester|schwächer|höher|tiefer|behauptet",
            "day": "Montag|Dienstag|Mittwoch|Donnerstag|Freitag",
            "firm": "Nordstahl|Hafenlager|Ostholz|Seekraft|Inselbank|Talwerke",
        },
    ),
    Family(
        "traffic-en",
        "{road} closed at {place1}",
        "The road office has closed {road} between {place1} and {place2} from {day} on because of {reason}. Traffic is led round by the "
        "old coast road, on which lorries may not meet at the two narrow bridges; their drivers are asked to wait for the signal. "
        "Buses run by the usual timetable but do not call at the stops within the closed stretch. Those who live there may pass on "
        "showing a paper. The office asks for patience, and will say here when the way is free again. Questions are answered at the "
        "desk of the office on working days, or by the machine at all other hours.",
        {
            "road": "the valley road|the mill road|the harbour road|the forest road|the moor road",
            "place": _PLACES,
            "day": _DAYS,
            "reason": "a landslip|a broken main|a fallen mast|tree felling|a film crew",
        },
    ),
    Family(
        "traffic-it",
        "Chiusa {road} a {place1}",
        "L'ufficio strade ha chiuso {road} tra {place1} e {place2} a partire da {day} a causa di {reason}. Il traffico viene deviato "
        "sulla vecchia litoranea, dove i mezzi pesanti non possono incrociarsi sui due ponti stretti e devono attendere il segnale. "
        "Gli autobus seguono l'orario normale ma saltano le fermate del tratto chiuso. I residenti possono passare mostrando un "
        "documento. L'ufficio chiede pazienza e comunicherà qui quando la strada sarà di nuovo libera. Per domande ci si può "
        "rivolgere allo sportello nei giorni feriali, oppure alla segreteria in tutte le altre ore.",
        {
            "road": "la strada del porto|la via del mulino|la provinciale nord|la strada della valle",
            "place": "Borgo Alto|San Vito|Castelmare|Pontelungo|Rivabella|Montefalco",
            "day": "lunedì|martedì|mercoledì|giovedì|venerdì",
            "reason": "una frana|un guasto idrico|un albero caduto|lavori urgenti",
        },
    ),
    Family(
        "obituary-en",
        "{name1}, {#61-99}",
        "{name1} of {place1} died on {day} after a {illness} illness, at the age of {#61-99}. Born in {place2}, {name1} worked for many years "
        "as a {job} and was known to all for a kind word and a good memory. The funeral is held on Saturday at noon in the chapel "
        "above the harbour, and all who knew the deceased are welcome. The family asks that no flowers be sent, and that a gift be "
        "made to the lifeboat instead. A book in which those who wish may write a line lies in the hall of the parish house until the "
        "end of the month, and coffee is served there after the service.",
        {
            "name": _NAMES,
            "place": _PLACES,
            "day": _DAYS,
            "illness": "short|long|brief|severe",
            "job": "teacher|pilot|baker|nurse|carpenter|postman|fisherman",
        },
    ),
    Family(
        "obituary-pl",
        "Zmarł {name1}",
        "W {day} zmarł {name1}, wieloletni {job} z miejscowości {place1}. Miał {#61-97} lat. Urodził się w miejscowości {place2} i był znany "
        "wszystkim z dobrego słowa i dobrej pamięci. Pogrzeb odbędzie się w sobotę w południe w kaplicy nad portem, a wszyscy, którzy "
        "znali zmarłego, są mile widziani. Rodzina prosi, aby nie przynosić kwiatów, lecz złożyć datek na łódź ratunkową. Księga, do "
        "której można się wpisać, leży w domu parafialnym do końca miesiąca, a po uroczystości podana zostanie tam kawa.",
        {
            "name": "Jan Wrona|Piotr Sowa|Adam Lis|Marek Dąb|Tomasz Kos|Paweł Bór",
            "job": "nauczyciel|piekarz|rybak|listonosz|stolarz",
            "place": "Zalewo|Kąty|Borowo|Lipno|Rudnik",
            "day": "poniedziałek|wtorek|środę|czwartek|piątek",
        },
    ),
    Family(
        "recall-en",
        "Recall: {product}",
        "{firm1} is taking back {product} sold since {month}, as {fault}. The goods bear the mark {#100-999} on the bottom of the pack. "
        "Customers who have bought them should not use them any longer and can bring them to any shop of the chain, where the price is "
        "given back without a receipt. No case of harm to anyone is known so far. The food office has been told and watches the recall. "
        "A line for questions is open on working days from eight to six. Recalls are printed here at the request of the office, which "
        "alone answers for what they say, and remain on this page for a month.",
        {
            "firm": "Baltwood|Skarv Foods|Norsteel|Lumen|Tideway|Ostby Mills",
            "product": "oat biscuits|smoked herring|baby cots|bicycle lamps|apple juice|hot water bottles",
            "month": "March|April|May|June|July",
            "fault": "there may be splinters of glass in them|the label does not name nuts|a hinge can break|the cable can grow hot|yeast was found",
        },
    ),
    Family(
        "recall-nl",
        "Terugroepactie: {product}",
        "{firm1} haalt {product} terug die sinds {month} in de winkels liggen, omdat {fault}. Op de bodem van de verpakking staat de code "
        "{#100-999}. Wie het product heeft gekocht, moet het niet meer gebruiken en kan het in elke winkel van de keten inleveren, waar de prijs "
        "zonder kassabon wordt terugbetaald. Voor zover bekend is niemand ziek geworden. De voedselautoriteit is op de hoogte en houdt "
        "toezicht op de actie. Vragen worden op werkdagen van acht tot zes beantwoord. Deze berichten plaatsen wij op verzoek van de "
        "autoriteit, die voor de inhoud instaat, en zij blijven een maand op deze pagina staan.",
        {
            "firm": "Molenaar|Zeeland Foods|De Korenbloem|Havenbrood|Visser",
            "product": "haverkoekjes|gerookte haring|appelsap|pindakaas|kinderbedjes",
            "month": "maart|april|mei|juni|juli",
            "fault": "er glas in kan zitten|noten niet op het etiket staan|er gist in is gevonden|een scharnier kan breken",
        },
    ),
    Family(
        "notice-en",
        "Short: {head}",
        "{story}\nThis short item is one of several that our desk gathers each morning out of the post and the reports of the stations "
        "along the coast. Whoever has news from a village can ring at any hour, and nobody's name is printed against their will. Mistakes "
        "are put right on the second page, with the day on which they were made. The paper belongs to no party and to no company; its "
        "owners are the readers, who choose the editor every third year. What stands under the line is paid for by those who sign it. "
        "The use of our texts in schools is free; for all other uses a word with the office is enough, and a copy that shows them.",
        {"head": "a goat on the roof|lights out|the last ferry|a find in the attic|the choir is back"},
        (
            "A goat had to be fetched from the roof of the co-op in Norrvik on Sunday. Nobody knows how it came up; it ate half of a flag before a ladder was found.",
            "The lamps along the quay of Hallen stay dark this week, since the cable was cut by mistake when the new drain was dug. Walkers should carry a light.",
            "With the boat at ten the old ferry to Vestra made its last trip. The captain sounded the horn three times, and the band of the fire brigade played on the pier.",
            "In an attic in Tornby a heap of letters from the time of the sailing ships has come to light, most of them unopened. The museum will dry and read them.",
        ),
    ),
    Family(
        "notice-fr",
        "En bref : {head}",
        "{story}\nCette brève a été rédigée avec l'aide de nos correspondants dans les villages, que chacun peut appeler à toute heure. Les "
        "erreurs sont corrigées en deuxième page, avec la date à laquelle elles ont été commises. Le journal n'appartient à aucun parti ni "
        "à aucune société : ses propriétaires sont ses lecteurs, qui élisent la rédaction tous les trois ans. L'usage de nos textes est "
        "libre dans les écoles ; pour tout autre usage il suffit d'un mot à nos bureaux. Les annonces sous le filet engagent ceux qui les "
        "signent et non la rédaction, qui les publie telles qu'elles lui parviennent.",
        {"head": "le phare|une chèvre|le four|la chorale"},
        (
            "Le phare du cap a été repeint en rouge et blanc par des bénévoles, qui ont passé quatre jours suspendus à des cordes malgré le vent.",
            "Une chèvre s'est invitée au conseil municipal mardi soir et a mangé le projet de budget avant d'être reconduite à son pré.",
            "Le vieux four à pain du hameau fume de nouveau : une association y cuit le samedi et vend ses miches sur la place dès l'aube.",
            "La chorale des marins cherche des basses, même débutantes ; on répète le jeudi dans la salle au-dessus de la criée.",
        ),
    ),
    Family(
        "police-en",
        "Police log, {day}",
        "The station at {place1} logged {number1} calls on {day}. A patrol was sent to {place2} over {deed}, and left again after a talk. "
        "{count} drivers were stopped on the bypass; all but one were sober. A lost {thing} waits at the desk for its owner, who can call for it "
        "with a paper between nine and four. The station reminds the public that the number for emergencies is not for questions about "
        "the ferry, and that bonfires are to be announced the day before. The log is taken from the book of the watch as it is and is not "
        "checked by this paper; who is named in it wrongly may turn to the station.",
        {
            "place": _PLACES,
            "number": _NUMBERS,
            "day": _DAYS,
            "deed": "loud music|a broken fence|a stray cow|a quarrel over a hedge|a smell of gas",
            "count": "Four|Nine|Thirteen|Seven|Twenty",
            "thing": "purse|watch|violin|set of keys|glove",
        },
    ),
    Family(
        "dividend-en",
        "{firm1} dividend",
        "The board of {firm1} has declared a dividend of {#11-98} cents a share for the {quarter} quarter, payable on the first working day of next "
        "month to those who hold shares at the close on the twentieth. Profit came to {#2-97} million crowns on sales of {#110-990} million. "
        "The chairman, {name1}, said that orders had developed as planned and that the board saw no reason to change the outlook it "
        "gave in spring. The company has its seat in {place1}. The report in full can be had from the office of the company, and the "
        "figures in it have not been audited. Shares of the company are traded on the island exchange.",
        {
            "firm": "Norsteel|Havn Shipping|Baltwood|Skarv Foods|Lumen Power|Ostbank|Tideway",
            "quarter": "first|second|third|fourth",
            "name": _NAMES,
            "place": _PLACES,
        },
    ),
    Family(
        "election-fr",
        "{place1} : les résultats",
        "À {place1}, {name1} arrive en tête du premier tour avec {#31-52},{#10-99/a} % des voix, devant {name2} ({#20-30},{#10-99/b} %). La participation "
        "s'établit à {#41-79} % des inscrits. Un second tour aura lieu dimanche prochain si aucun candidat ne se retire d'ici mardi soir. "
        "Les bureaux de vote seront ouverts de huit heures à dix-huit heures, et les procurations peuvent être établies jusqu'à la veille "
        "à la gendarmerie. Ces résultats, transmis par la préfecture, sont provisoires tant que la commission de recensement ne les a "
        "pas validés. Ils sont publiés ici commune par commune, au fur et à mesure de leur arrivée.",
        {
            "place": "Port-Blanc|Saint-Aubin|Les Salles|Grandcamp|Montfort|Villers",
            "name": "Mme Leroy|M. Caron|Mme Blin|M. Hamel|M. Guérin|Mme Roussel|M. Petit|Mme Faure",
        },
    ),
    Family(
        "ship-fi",
        "Satamassa: {ship1}",
        "Satamaan saapui {day} {ship1}, joka toi lastinaan {cargo} paikkakunnalta {place1}. Alus lähtee huomenna aamulla kohti paikkakuntaa {place2}. "
        "Laiturilla kolme on nosturityöt, joten jalankulkijoita pyydetään käyttämään rannan puoleista käytävää. Matkustajalautat kulkevat "
        "aikataulun mukaan, ja liput voi ostaa laivalta tai sataman kioskista. Satamatoimisto on avoinna arkisin kahdeksasta neljään. "
        "Tiedot perustuvat sataman ilmoitukseen, eikä lehti vastaa muutoksista, joita sää tai jäät voivat aiheuttaa.",
        {
            "ship": "Aallotar|Meritähti|Pohjola|Kaleva|Sampo",
            "cargo": "puutavaraa|suolaa|sementtiä|viljaa|terästä",
            "place": "Kotka|Tallinna|Visby|Riika|Oulu|Gdynia|Rauma",
            "day": "maanantaina|tiistaina|keskiviikkona|torstaina|perjantaina",
        },
    ),
    Family(
        "quake-pt",
        "Sismo sentido em {place1}",
        "Um sismo de magnitude {#2-4},{#1-9/a} foi registado {day} às {#10-22}:{#10-59/b} com epicentro a cerca de {#5-48} quilómetros de {place1}, informou o "
        "instituto de meteorologia. Segundo a informação disponível até agora, o abalo não causou danos pessoais nem materiais. O instituto "
        "acompanha a situação e emitirá novos comunicados se tal se justificar. A proteção civil recorda que em caso de sismo se deve manter a "
        "calma, afastar-se de janelas e não usar elevadores. Os dados são preliminares e podem ser revistos depois de analisados os registos "
        "de todas as estações da rede.",
        {
            "place": "Ponta Delgada|Horta|Lagos|Sines|Peniche|Velas",
            "day": "na segunda-feira|na terça-feira|na quarta-feira|na quinta-feira|na sexta-feira",
        },
    ),
    Family(
        "air-ru",
        "Воздух в районе {place1}",
        "В {day} в районе {place1} воздух был {state}, сообщили на станции наблюдения. Концентрация пыли составила {#11-89} единиц при норме "
        "пятьдесят, ветер был {wind}. Людям с болезнями лёгких врачи советуют не выходить надолго из дома и не открывать окна на сторону "
        "дороги. Измерения проводятся каждый час на высоте трёх метров, а сводка выходит один раз в сутки. Жалобы на запах и дым принимает "
        "дежурный по телефону, который указан на сайте станции. Данные предварительные и могут быть уточнены.",
        {
            "place": "Северный порт|Старый мост|Лесная|Заречье|Каменка",
            "day": "понедельник|вторник|среду|четверг|пятницу",
            "state": "чистым|грязным|умеренно загрязнённым|тяжёлым",
            "wind": "слабым|сильным|северным|восточным",
        },
    ),
)
