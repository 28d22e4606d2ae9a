/* The built-in writer's words for columns: see the header for the slots. */
#include "builtin/column_lexicon.h"

#define PERSON(keys_, ...)  { .keys = keys_, .sense = QN_SENSE_PERSON, __VA_ARGS__ }
#define EVENT(keys_, part) { .keys = keys_, .sense = QN_SENSE_YEAR, .ask = "When was {e} " part "?|In what year was {e} " part "?", \
    .mod = part " {t}", .vp1 = "was " part " {t}", .vps = "were " part " {t}", .first = "was " part " first", .last = "was " part " last" }
#define COUNT(keys_, phrase_) { .keys = keys_, .sense = QN_SENSE_COUNT, .phrase = phrase_ }
#define SKIP(keys_) { .keys = keys_, .sense = QN_SENSE_SKIP }
#define PLACE(keys_) { .keys = keys_, .sense = QN_SENSE_PLACE, .ask = "In which {p} is {e}?|Which {p} is {e} in?", \
    .mod = "in {v}", .vp1 = "is in {v}", .vps = "are in {v}", .same = "are in the same {p} as {e}" }

static const qn_colword WORDS[] = {
    SKIP("notes|note|remarks|remark|comments|comment|description|references|reference|ref|refs|source|sources|coordinates|image|summary|"
         "map|citation|url|website|report|details|coordinates & grid ref|geographic coordinates|other designations|map & citation|"
         "serial format|serials issued|signature|photo|picture|logo|link|links|isbn|definition|reason|character notes|additional information|record|streak"),
    { .keys = "name|names|title|entry|item|full name|official name|film|movie|song|single|work|track|english title|original title|book|show|program|film title", .sense = QN_SENSE_NAME },
    { .keys = "total|overall|sales|copies sold", .sense = QN_SENSE_QUANTITY, .dmax = "highest", .dmin = "lowest" },

    /* measured things */
    { .keys = "length|total length", .sense = QN_SENSE_QUANTITY, .ask = "How long is {e}?|What is the {p} of {e}?|What is {s} {p}?", .max = "longest", .min = "shortest",
      .more = "longer", .less = "shorter", .dmax = "greatest", .dmin = "shortest" },
    { .keys = "height|elevation|summit height", .sense = QN_SENSE_QUANTITY, .ask = "How high is {e}?|What is the {p} of {e}?|What is {s} {p}?", .max = "highest", .min = "lowest",
      .more = "higher", .less = "lower", .dmax = "greatest", .dmin = "lowest" },
    { .keys = "area|land area|surface area|total area", .sense = QN_SENSE_QUANTITY, .ask = "What is the {p} of {e}?|How large is the {p} of {e}?", .dmax = "largest", .dmin = "smallest" },
    { .keys = "population", .sense = QN_SENSE_QUANTITY, .ask = "What is the population of {e}?|How many people live in {e}?", .max = "most populous", .min = "least populous",
      .more = "more populous", .less = "less populous", .dmax = "largest", .dmin = "smallest" },
    { .keys = "diameter|mean diameter|equatorial diameter", .sense = QN_SENSE_QUANTITY, .ask = "What is the {p} of {e}?|What is {s} {p}?", .dmax = "largest", .dmin = "smallest" },
    { .keys = "depth|max depth|maximum depth", .sense = QN_SENSE_QUANTITY, .ask = "How deep is {e}?|What is the {p} of {e}?", .max = "deepest", .min = "shallowest", .more = "deeper", .less = "shallower" },
    { .keys = "weight|mass", .sense = QN_SENSE_QUANTITY, .ask = "What is the {p} of {e}?|How much does {e} weigh?", .max = "heaviest", .min = "lightest", .more = "heavier", .less = "lighter" },
    { .keys = "atomic weight", .sense = QN_SENSE_QUANTITY, .ask = "What is the atomic weight of {e}?|What is {s} atomic weight?", .dmax = "greatest", .dmin = "lowest" },
    { .keys = "age", .sense = QN_SENSE_QUANTITY, .ask = "How old is {e}?|What is the age of {e}?", .max = "oldest", .min = "youngest", .more = "older", .less = "younger" },
    { .keys = "attendance|average attendance|total attendance", .sense = QN_SENSE_QUANTITY, .ask = "What was the {p} for {e}?", .dmax = "highest", .dmin = "lowest" },
    { .keys = "capacity|seating capacity|enrollment|enrolment|viewers|budget|distance|gross|prize money|prize|earnings|winnings|duration|speed|top speed|power|frequency|span|width|main span",
      .sense = QN_SENSE_QUANTITY, .dmax = "greatest|highest|largest", .dmin = "lowest|smallest" },
    { .keys = "orbital period|duration of flight", .sense = QN_SENSE_QUANTITY, .dmax = "longest", .dmin = "shortest" },
    { .keys = "price|cost|salary|melting point|boiling point|temperature|density|population density", .sense = QN_SENSE_QUANTITY, .dmax = "highest", .dmin = "lowest" },
    { .keys = "percentage|percent|%|swing|average|win %|pct|rating|ratings|avg|avg. start|avg. finish|ratio|share|% of total|growth|turnout|batting average", .sense = QN_SENSE_SHARE },

    /* counted things */
    COUNT("gold|gold medals", "gold medals"), COUNT("silver|silver medals", "silver medals"), COUNT("bronze|bronze medals", "bronze medals"),
    COUNT("medals|total medals", "medals"), COUNT("w|wins|won|win", "wins"), COUNT("losses|lost|loss|l", "losses"), COUNT("d|draws|draw|drawn", "draws"), COUNT("ties|t", "ties"),
    COUNT("pts|pts.|points", "points"), COUNT("gf|goals for|goals scored", "goals scored"), COUNT("ga|goals against|goals conceded", "goals conceded"),
    COUNT("goals|total goals", "goals"), COUNT("laps", "laps"), COUNT("starts", "starts"), COUNT("votes", "votes"), COUNT("seats", "seats"), COUNT("titles", "titles"),
    COUNT("games|gp|games played|played|p|pld", "games"), COUNT("apps|appearances", "appearances"), COUNT("matches|matches played", "matches"), COUNT("floors", "floors"), COUNT("episodes", "episodes"), COUNT("runs", "runs"),
    COUNT("wickets", "wickets"), COUNT("assists", "assists"), COUNT("poles", "poles"), COUNT("podiums", "podiums"), COUNT("yards", "yards"), COUNT("tackles", "tackles"),
    COUNT("touchdowns|td|tds", "touchdowns"), COUNT("rebounds", "rebounds"), COUNT("employees", "employees"), COUNT("students", "students"), COUNT("deaths", "deaths"),
    COUNT("passengers", "passengers"), COUNT("stations", "stations"), COUNT("members", "members"), COUNT("delegates", "delegates"), COUNT("moons", "moons"),
    COUNT("top 5", "top-5 finishes"), COUNT("top 10", "top-10 finishes"), COUNT("cuts made", "cuts made"), COUNT("tries", "tries"), COUNT("caps", "caps"),

    /* orders and numbers that only name */
    { .keys = "rank|rank#|ranking|standing", .sense = QN_SENSE_RANK, .phrase = "rank", .ask = "What is the rank of {e}?|What is {s} rank?", .mod = "ranked {o}", .vp1 = "is ranked {o}", .vps = "are ranked {o}", .same = "have the same rank as {e}" },
    { .keys = "pos|pos.|position|final position", .sense = QN_SENSE_RANK, .phrase = "position", .ask = "What is the position of {e}?|What is {s} position?", .mod = "in {o} position", .vp1 = "is in {o} position", .vps = "are in {o} position", .same = "have the same position as {e}" },
    { .keys = "place|finish", .sense = QN_SENSE_RANK, .phrase = "place", .ask = "In which place did {e} finish?|In what place is {e}?", .mod = "in {o} place", .vp1 = "is in {o} place", .vps = "are in {o} place", .same = "share their place with {e}" },
    { .keys = "world rank|seed", .sense = QN_SENSE_RANK },
    { .keys = "order from the sun", .sense = QN_SENSE_RANK, .ask = "Where does {e} come in the order from the Sun?" },
    { .keys = "atomic number", .sense = QN_SENSE_RANK, .ask = "What is the atomic number of {e}?|What is {s} atomic number?", .mod = "with atomic number {v}", .vp1 = "has atomic number {v}", .vps = "have atomic number {v}" },
    { .keys = "no|no.|number|#|num|fips|code|zip|bib|pick|pick #|lane|grid|draft|race number|car #|car no.|car|heat|tie no|level|tier|section|run|week|round|game|episode|stage|day|leg|game #|match|episode #|series #|district|fips code|geo id|ansi code|jersey|jersey number|channel|route|line|bus|class|grade|version", .sense = QN_SENSE_ID },
    { .keys = "symbol", .sense = QN_SENSE_THING, .ask = "What is the symbol of {e}?|What is the symbol for {e}?", .mod = "with the symbol {v}", .vp1 = "has the symbol {v}", .vps = "have the symbol {v}" },
    { .keys = "iso code", .sense = QN_SENSE_THING, .phrase = "ISO code", .ask = "What is the ISO code of {e}?|What is {s} ISO code?", .mod = "with the ISO code {v}", .vp1 = "has the ISO code {v}", .vps = "have the ISO code {v}" },
    { .keys = "group", .sense = QN_SENSE_RANK, .ask = "Which group is {e} in?|What group does {e} belong to?", .mod = "in group {v}", .vp1 = "is in group {v}", .vps = "are in group {v}", .same = "are in the same group as {e}" },
    { .keys = "period", .sense = QN_SENSE_RANK, .ask = "Which period is {e} in?", .mod = "in period {v}", .vp1 = "is in period {v}", .vps = "are in period {v}", .same = "are in the same period as {e}" },

    /* times */
    EVENT("year of discovery|discovered|discovery|year discovered|discovery year|date of discovery", "discovered"),
    EVENT("founded|year founded|foundation|date founded|foundation year", "founded"), EVENT("established|year established|established in|est.", "established"),
    EVENT("opened|year opened|opening|date opened", "opened"), EVENT("closed|year closed", "closed"), EVENT("built|year built|construction|constructed|date built", "built"),
    EVENT("completed|year completed|completion|completion year", "completed"), EVENT("launched|date launched|year launched", "launched"), EVENT("released|release year|year released|release|release date|date released", "released"),
    EVENT("commissioned", "commissioned"), EVENT("decommissioned", "decommissioned"), EVENT("published|year published|publication year", "published"),
    EVENT("invented|year invented|invention", "invented"), EVENT("introduced|year introduced|introduction", "introduced"), EVENT("signed|year signed", "signed"), EVENT("elected|year elected", "elected"),
    EVENT("demolished", "demolished"), EVENT("formed|year formed", "formed"), EVENT("withdrawn|year withdrawn", "withdrawn"), EVENT("notified|year in which notified", "notified"),
    EVENT("inducted|year inducted", "inducted"), EVENT("born|birth|date of birth|birth year|year of birth|birthdate|birth date|d.o.b.|dob", "born"),
    EVENT("listed|date listed", "listed"), EVENT("incorporated", "incorporated"), EVENT("ordered", "ordered"), EVENT("laid down", "laid down"), EVENT("recorded", "recorded"),
    { .keys = "original air date|air date|first aired|aired|original broadcast date|date aired|original airdate|airdate", .sense = QN_SENSE_DATE, .ask = "When was {e} first broadcast?", .mod = "first broadcast {t}",
      .vp1 = "was first broadcast {t}", .vps = "were first broadcast {t}", .first = "was broadcast first", .last = "was broadcast last" },
    EVENT("first issued|issued|date issued", "issued"),
    { .keys = "first ascent", .sense = QN_SENSE_YEAR, .ask = "When was {e} first climbed?|In what year was {e} first climbed?|In what year was the first ascent of {e}?", .mod = "first climbed {t}", .vp1 = "was first climbed {t}",
      .vps = "were first climbed {t}", .first = "was climbed first", .last = "was climbed last" },
    { .keys = "died|death|date of death|year of death|death year", .sense = QN_SENSE_YEAR, .ask = "When did {e} die?|In what year did {e} die?", .mod = "who died {t}", .vp1 = "died {t}", .vps = "died {t}",
      .first = "died first", .last = "died last" },
    { .keys = "first appeared|first appearance", .sense = QN_SENSE_YEAR, .ask = "When did {e} first appear?|In what year did {e} first appear?", .mod = "that first appeared {t}", .vp1 = "first appeared {t}", .vps = "first appeared {t}",
      .first = "appeared first", .last = "appeared last" },
    { .keys = "took office|term start|start of term", .sense = QN_SENSE_DATE, .ask = "When did {e} take office?", .mod = "who took office {t}", .vp1 = "took office {t}", .vps = "took office {t}" },
    { .keys = "left office|term end|end of term", .sense = QN_SENSE_DATE, .ask = "When did {e} leave office?", .mod = "who left office {t}", .vp1 = "left office {t}", .vps = "left office {t}" },
    { .keys = "year|season|years|election year|año|election", .sense = QN_SENSE_YEAR },
    { .keys = "date|dates|game date|event date", .sense = QN_SENSE_DATE },

    /* places */
    PLACE("continent"), PLACE("country"), PLACE("city"), PLACE("state"), PLACE("county"), PLACE("province"), PLACE("region"), PLACE("town"), PLACE("municipality"),
    PLACE("city or town"), PLACE("range"), PLACE("territory"), PLACE("prefecture"), PLACE("island"),
    { .keys = "location", .sense = QN_SENSE_PLACE, .ask = "Where is {e}?|Where is {e} located?", .mod = "located in {v}", .vp1 = "is located in {v}", .vps = "are located in {v}", .same = "have the same location as {e}" },
    { .keys = "country of origin|origin", .sense = QN_SENSE_PLACE, .ask = "Which country does {e} come from?|What is {s} {p}?", .mod = "from {v}", .vp1 = "comes from {v}", .vps = "come from {v}", .same = "come from the same country as {e}" },
    { .keys = "birthplace|place of birth|birth place", .sense = QN_SENSE_PLACE, .ask = "Where was {e} born?|What is {s} place of birth?", .phrase = "place of birth", .mod = "born in {v}", .vp1 = "was born in {v}", .vps = "were born in {v}", .same = "were born in the same place as {e}" },
    { .keys = "hometown|home town", .sense = QN_SENSE_PLACE, .ask = "What is {s} hometown?|Where does {e} come from?", .mod = "from {v}", .vp1 = "comes from {v}", .vps = "come from {v}", .same = "come from the same town as {e}" },
    { .keys = "country at the mouth", .sense = QN_SENSE_PLACE, .ask = "In which country does {e} reach its mouth?|In which country is the mouth of {e}?", .mod = "with their mouth in {v}", .vp1 = "has its mouth in {v}", .vps = "have their mouths in {v}",
      .same = "reach their mouths in the same country as {e}" },
    { .keys = "flows into|mouth|outflow", .sense = QN_SENSE_PLACE, .phrase = "outflow", .ask = "What does {e} flow into?|Where does {e} end?", .mod = "that flow into {v}", .vp1 = "flows into {v}", .vps = "flow into {v}", .same = "flow into the same body of water as {e}" },
    { .keys = "venue|stadium|site|game site|arena|circuit|track|home ground|ground|location(s)", .sense = QN_SENSE_THING, .ask = "What is the {p} of {e}?", .mod = "with {v} as the {p}", .vp1 = "has {v} as the {p}", .vps = "have {v} as the {p}" },
    { .keys = "capital", .sense = QN_SENSE_PLACE, .ask = "What is the capital of {e}?|What is {s} capital?|Which city is the capital of {e}?", .mod = "whose capital is {v}", .vp1 = "has {v} as its capital", .vps = "have {v} as their capital" },
    { .keys = "host city|host", .sense = QN_SENSE_PLACE, .ask = "Who hosted {e}?", .mod = "hosted by {v}", .vp1 = "was hosted by {v}", .vps = "were hosted by {v}" },
    { .keys = "planet", .sense = QN_SENSE_PLACE, .ask = "Which planet does {e} orbit?|Around which planet does {e} move?", .mod = "of {v}", .vp1 = "orbits {v}", .vps = "orbit {v}", .same = "orbit the same planet as {e}" },
    { .keys = "constellation", .sense = QN_SENSE_PLACE, .ask = "In which constellation is {e}?", .mod = "in {v}", .vp1 = "is in {v}", .vps = "are in {v}" },

    /* people */
    PERSON("discoverer|discovered by", .phrase = "discoverer", .ask = "Who discovered {e}?|By whom was {e} discovered?", .mod = "discovered by {v}", .vp1 = "was discovered by {v}", .vps = "were discovered by {v}", .same = "were discovered by the same people or person as {e}"),
    PERSON("designer|designed by", .phrase = "designer", .ask = "Who designed {e}?|Who was the designer of {e}?", .mod = "designed by {v}", .vp1 = "was designed by {v}", .vps = "were designed by {v}", .same = "have the same designer as {e}"),
    PERSON("director|directed by", .phrase = "director", .ask = "Who directed {e}?|Who was the director of {e}?", .mod = "directed by {v}", .vp1 = "was directed by {v}", .vps = "were directed by {v}", .same = "were directed by the same person as {e}"),
    PERSON("writer|written by|author|writers|writer(s)", .phrase = "writer", .ask = "Who wrote {e}?", .mod = "written by {v}", .vp1 = "was written by {v}", .vps = "were written by {v}", .same = "were written by the same author as {e}"),
    PERSON("producer|produced by|producers|producer(s)", .phrase = "producer", .ask = "Who produced {e}?", .mod = "produced by {v}", .vp1 = "was produced by {v}", .vps = "were produced by {v}", .same = "were produced by the same people as {e}"),
    PERSON("builder|built by", .phrase = "builder", .ask = "Who built {e}?", .mod = "built by {v}", .vp1 = "was built by {v}", .vps = "were built by {v}", .same = "have the same builder as {e}"),
    PERSON("manufacturer|maker", .phrase = "manufacturer", .ask = "Who made {e}?|Who was the {p} of {e}?", .mod = "made by {v}", .vp1 = "was made by {v}", .vps = "were made by {v}", .same = "have the same {p} as {e}"),
    PERSON("developer|developed by", .phrase = "developer", .ask = "Who developed {e}?", .mod = "developed by {v}", .vp1 = "was developed by {v}", .vps = "were developed by {v}", .same = "have the same developer as {e}"),
    PERSON("publisher|published by", .phrase = "publisher", .ask = "Who published {e}?", .mod = "published by {v}", .vp1 = "was published by {v}", .vps = "were published by {v}", .same = "have the same publisher as {e}"),
    PERSON("architect", .ask = "Who was the architect of {e}?", .mod = "designed by {v}", .vp1 = "was designed by {v}", .vps = "were designed by {v}", .same = "have the same architect as {e}"),
    PERSON("inventor", .ask = "Who invented {e}?", .mod = "invented by {v}", .vp1 = "was invented by {v}", .vps = "were invented by {v}"),
    PERSON("founder|founder(s)|founders", .ask = "Who founded {e}?", .mod = "founded by {v}", .vp1 = "was founded by {v}", .vps = "were founded by {v}"),
    PERSON("owner|owner(s)", .ask = "Who owns {e}?|Who is the owner of {e}?", .mod = "owned by {v}", .vp1 = "is owned by {v}", .vps = "are owned by {v}", .same = "have the same owner as {e}"),
    PERSON("operator", .ask = "Who operates {e}?", .mod = "operated by {v}", .vp1 = "is operated by {v}", .vps = "are operated by {v}", .same = "have the same operator as {e}"),
    PERSON("artist|artist(s)|performer|singer", .ask = "Who is the {p} of {e}?", .mod = "by {v}", .vp1 = "is by {v}", .vps = "are by {v}", .same = "are by the same {p} as {e}", .noun = "artist"),
    PERSON("winner|champion|champions|runner-up|runners-up|winners|loser|jockey|trainer|coach|head coach|captain|incumbent|mayor|president|governor|leader|manager|principal|winning driver|rider|driver|winning team|mvp|dj|conductor|editor|representative|candidate|player|athlete|actor|actress|skipper|pilot|commander|presenter|guest|partner"),
    PERSON("opponent|opponents|opposition|opponent#|visitor|visiting team|away team|home team|rival", .ask = "Who was the opponent of {e}?", .mod = "against {v}", .vp1 = "was against {v}", .vps = "were against {v}"),

    /* kinds and other things */
    { .keys = "category|classification|division|conference|league", .sense = QN_SENSE_KIND, .ask = "Which {p} does {e} belong to?|What is the {p} of {e}?", .mod = "in the {p} {v}", .vp1 = "belongs to the {p} {v}", .vps = "belong to the {p} {v}", .same = "belong to the same {p} as {e}" },
    { .keys = "type|kind|form", .sense = QN_SENSE_KIND, .ask = "What {p} is {e}?|What is the {p} of {e}?", .mod = "of the {p} {v}", .vp1 = "is of the {p} {v}", .vps = "are of the {p} {v}", .same = "are of the same {p} as {e}" },
    { .keys = "party|political party|affiliation", .sense = QN_SENSE_KIND, .ask = "Which party does {e} belong to?|What is {s} party?", .phrase = "party", .mod = "of the party {v}", .vp1 = "belongs to the party {v}", .vps = "belong to the party {v}", .same = "belong to the same party as {e}" },
    { .keys = "era", .sense = QN_SENSE_KIND, .ask = "To which era does {e} belong?", .mod = "of the {v} era", .vp1 = "belongs to the {v} era", .vps = "belong to the {v} era", .same = "belong to the same era as {e}" },
    { .keys = "nationality", .sense = QN_SENSE_KIND, .ask = "What is {s} nationality?|What is the nationality of {e}?", .mod = "with the nationality {v}", .vp1 = "has the nationality {v}", .vps = "have the nationality {v}", .same = "have the same nationality as {e}" },
    { .keys = "nation", .sense = QN_SENSE_PLACE, .ask = "Which nation does {e} represent?|What is {s} nation?", .mod = "from {v}", .vp1 = "is from {v}", .vps = "are from {v}", .same = "are from the same nation as {e}" },
    { .keys = "language", .sense = QN_SENSE_KIND, .ask = "What is the language of {e}?|In which language is {e}?", .mod = "in {v}", .vp1 = "is in {v}", .vps = "are in {v}", .same = "are in the same language as {e}", .noun = "language" },
    { .keys = "role|character", .sense = QN_SENSE_THING, .ask = "What was the role in {e}?", .mod = "with the role {v}", .vp1 = "has the role {v}", .vps = "have the role {v}" },
    { .keys = "label|record label", .sense = QN_SENSE_KIND, .ask = "On which label was {e} released?", .mod = "on the label {v}", .vp1 = "is on the label {v}", .vps = "are on the label {v}", .same = "are on the same label as {e}" },
    { .keys = "album", .sense = QN_SENSE_THING, .ask = "Which album is {e} from?|On which album is {e}?", .mod = "from the album {v}", .vp1 = "is from the album {v}", .vps = "are from the album {v}", .same = "are from the same album as {e}", .noun = "album" },
    { .keys = "network|tv|tv network|tv station", .sense = QN_SENSE_KIND, .ask = "What is the {p} of {e}?", .mod = "on {v}", .vp1 = "was on {v}", .vps = "were on {v}", .same = "were on the same {p} as {e}" },
    { .keys = "currency", .sense = QN_SENSE_THING, .ask = "What is the currency of {e}?|Which currency does {e} use?|What currency is used in {e}?", .mod = "that use the {v}", .vp1 = "uses the {v}", .vps = "use the {v}", .same = "use the same currency as {e}" },
    { .keys = "typing", .sense = QN_SENSE_KIND, .ask = "What kind of typing does {e} have?|What is the typing of {e}?", .mod = "with {v} typing", .vp1 = "has {v} typing", .vps = "have {v} typing", .same = "have the same kind of typing as {e}" },
    { .keys = "main paradigm|paradigm", .sense = QN_SENSE_KIND, .ask = "What is the {p} of {e}?|Which paradigm does {e} mainly follow?", .mod = "whose main paradigm is {v}", .vp1 = "has {v} as its main paradigm", .vps = "have {v} as their main paradigm", .same = "have the same main paradigm as {e}" },
    { .keys = "orbit", .sense = QN_SENSE_KIND, .ask = "Is the orbit of {e} prograde or retrograde?", .mod = "with a {v} orbit", .vp1 = "has a {v} orbit", .vps = "have a {v} orbit", .same = "orbit in the same direction as {e}" },
    { .keys = "rotation", .sense = QN_SENSE_KIND, .ask = "In which direction does {e} rotate?|What is the rotation of {e}?", .mod = "with {v} rotation", .vp1 = "has {v} rotation", .vps = "have {v} rotation" },
    { .keys = "rings", .sense = QN_SENSE_SKIP },
    { .keys = "surface", .sense = QN_SENSE_KIND, .ask = "What was the surface of {e}?", .mod = "on the surface {v}", .vp1 = "was on the surface {v}", .vps = "were on the surface {v}" },
    { .keys = "result|score|outcome|final score", .sense = QN_SENSE_THING, .ask = "What was the {p} of {e}?", .mod = "with the {p} {v}", .vp1 = "has the {p} {v}", .vps = "have the {p} {v}" },
    { .keys = "time|time/retired|time (h:m:s)|agg.|1st leg|2nd leg|to par|money|tv time|run 1|run 2|reign|tenure", .sense = QN_SENSE_SKIP },
    { .keys = "award|competition|tournament|event", .sense = QN_SENSE_KIND, .ask = "What is the {p} of {e}?" },
    { .keys = "status|fate", .sense = QN_SENSE_KIND, .ask = "What is the {p} of {e}?", .mod = "with the {p} {v}", .vp1 = "has the {p} {v}", .vps = "have the {p} {v}" },
    { .keys = "genre", .sense = QN_SENSE_KIND, .ask = "What is the genre of {e}?|What is {s} genre?", .mod = "of the genre {v}", .vp1 = "is of the genre {v}", .vps = "are of the genre {v}", .same = "have the same genre as {e}" },
    { .keys = "nickname|mascot", .sense = QN_SENSE_THING, .ask = "What is the {p} of {e}?|What is {s} {p}?", .mod = "with the {p} {v}", .vp1 = "has the {p} {v}", .vps = "have the {p} {v}" },
    { .keys = "college|school|university|club|team|current club|club team|previous team", .sense = QN_SENSE_THING, .ask = "What is {s} {p}?|What is the {p} of {e}?", .mod = "with the {p} {v}", .vp1 = "has {v} as the {p}", .vps = "have {v} as their {p}", .same = "have the same {p} as {e}" },
};

const qn_colword *qn_colword_find(qn_str header)
{
    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++) {
        const char *k = WORDS[i].keys;
        while (*k) {
            const char *end = strchr(k, '|');
            size_t n = end ? (size_t)(end - k) : strlen(k);
            if (n == header.n && qn_str_ieq(header, (qn_str){ k, n })) return &WORDS[i];
            k += n + (end != NULL);
        }
    }
    return NULL;
}
