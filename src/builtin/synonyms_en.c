/* synonyms_en: groups of words; each stands for the others of its group. A word is in one group: its commonest meaning decides. */
#include "builtin/synonyms_en.h"
#include "core/map.h"
#include <ctype.h>
#include <pthread.h>

static const char *const GROUPS[] = {
    "big|large|huge|sizeable", "bigger|larger", "biggest|largest", "small|little|tiny", "smaller|littler", "smallest|tiniest", "begin|start|commence", "began|started|commenced",
    "begins|starts|commences", "beginning|starting", "end|finish|conclude", "ended|finished|concluded", "ends|finishes", "build|construct|erect", "built|constructed|erected",
    "builds|constructs", "building|structure|edifice", "buildings|structures", "make|produce|create", "made|produced|created", "makes|produces|creates", "making|producing|creating",
    "buy|purchase|acquire", "bought|purchased|acquired", "sell|market", "sold|marketed", "show|display|reveal", "showed|displayed|revealed", "shows|displays|reveals",
    "shown|displayed|revealed", "use|employ|utilise", "used|employed|utilised", "uses|employs|utilises", "using|employing|utilising", "help|assist|aid", "helped|assisted|aided",
    "helps|assists|aids", "get|obtain|receive", "got|obtained|received", "gets|obtains|receives", "received|got", "give|provide|grant", "gave|provided|granted", "given|provided|granted",
    "gives|provides|grants", "keep|retain|maintain", "kept|retained|maintained", "find|discover|locate", "found|discovered|located", "finds|discovers", "discovery|finding",
    "think|believe|consider", "thought|believed", "thinks|believes|considers", "say|state|claim", "said|stated|claimed", "says|states|claims", "tell|inform", "told|informed",
    "name|call", "named|called|titled", "known|famous|recognised", "choose|select|pick", "chose|selected|picked", "chosen|selected|picked", "change|alter|modify",
    "changed|altered|modified", "changes|alters|alterations", "increase|rise|growth", "increased|rose|grew", "increases|rises|grows", "increasing|rising|growing", "decrease|decline|drop",
    "decreased|declined|dropped", "decreases|declines|drops", "decreasing|declining|dropping", "cause|lead to|bring about", "caused|led to|brought about", "causes|leads to|brings about",
    "stop|halt|cease", "stopped|halted|ceased", "prevent|avoid|block", "prevented|avoided|blocked", "prevents|avoids|blocks", "need|require", "needed|required|necessary",
    "needs|requires", "want|desire|wish", "wanted|desired|wished", "wants|desires|wishes", "allow|permit|let", "allowed|permitted|let", "allows|permits|lets", "support|back|endorse",
    "supported|backed|endorsed", "supports|backs", "oppose|resist|fight", "opposed|resisted|fought", "attack|assault", "attacked|assaulted", "war|conflict", "wars|conflicts",
    "battle|fight", "battles|fights", "kill|slay", "killed|slain|murdered", "die|pass away|perish", "died|passed away|perished", "death|passing", "deaths|fatalities|casualties",
    "win|gain", "won|gained", "defeat|beat", "defeated|beaten|beat", "lead|head|direct", "led|headed|directed", "leader|head|chief", "leaders|heads|chiefs", "ruler|sovereign|monarch",
    "rule|govern|reign", "ruled|governed|reigned", "government|administration|authorities", "law|statute|legislation", "laws|statutes|rules", "citizens|people|residents", "inhabitants|residents|population",
    "people|persons|folks", "person|individual|human", "man|guy|male", "men|males", "woman|lady|female", "women|females|ladies", "child|kid|youngster", "children|kids|youngsters",
    "country|nation|state", "countries|nations|states", "city|town", "cities|towns", "area|region|zone", "areas|regions|zones", "place|location|site", "places|locations|sites",
    "located|situated|found", "near|close to|next to", "around|about|approximately", "approximately|about|roughly", "nearly|almost", "many|numerous|lots of", "several|various|a number of",
    "most|the majority of", "often|frequently|commonly", "usually|typically|normally", "rarely|seldom", "always|constantly", "important|major|significant", "main|primary|chief",
    "major|main|big", "minor|small", "famous|well known|renowned", "popular|liked|common", "common|widespread|usual", "rare|uncommon|unusual", "new|recent|novel", "old|ancient|aged",
    "ancient|old", "modern|contemporary|current", "early|initial", "first|earliest|original", "last|final|latest", "final|last", "current|present", "former|previous|past", "previous|earlier|prior",
    "later|afterwards|subsequently", "before|prior to", "after|following", "during|in the course of|throughout", "because|since|as", "fast|quick|rapid", "quickly|rapidly|fast", "slow|sluggish",
    "strong|powerful|robust", "weak|feeble", "hard|difficult|tough", "difficult|hard|tough", "easy|simple", "simple|easy|basic", "good|fine", "better|superior", "best|top", "bad|poor|harmful",
    "worse|inferior", "worst|poorest", "rich|wealthy|affluent", "poor|needy|impoverished", "cheap|inexpensive|affordable", "expensive|costly|pricey", "cost|price|expense", "costs|prices|expenses",
    "money|funds|cash", "pay|wages|salary", "paid|compensated", "job|occupation|work", "jobs|occupations|positions", "work|labour|task", "worked|laboured|served", "worker|employee|labourer",
    "workers|employees|labourers", "company|firm|business", "companies|firms|businesses", "business|trade|company", "industry|sector|business", "industries|sectors", "factory|plant|mill",
    "factories|plants", "goods|products|merchandise", "product|item|good", "products|items|goods", "road|street|route", "roads|streets|routes", "car|automobile|vehicle", "cars|automobiles|vehicles",
    "ship|boat|vessel", "ships|boats|vessels", "plane|aircraft|airplane", "house|home|dwelling", "houses|homes|dwellings", "school|academy", "student|pupil|learner", "students|pupils|learners",
    "teacher|instructor|educator", "teachers|instructors|educators", "teach|instruct|educate", "taught|instructed|educated", "learn|study", "learned|studied", "university|college", "universities|colleges",
    "book|volume|publication", "books|volumes|publications", "write|author|compose", "wrote|authored|composed", "written|authored|composed", "writer|author", "writers|authors", "published|issued|released",
    "film|movie|picture", "films|movies|pictures", "song|track|tune", "songs|tracks|tunes", "music|tunes", "singer|vocalist", "actor|performer|player", "show|programme|series", "episode|instalment",
    "doctor|physician", "doctors|physicians", "disease|illness|sickness", "diseases|illnesses|ailments", "patient|sufferer", "patients|sufferers|people treated", "treatment|therapy|care",
    "treatments|therapies", "treat|cure|heal", "treated|cured", "medicine|drug|medication", "medicines|drugs|medications", "hospital|clinic", "hospitals|clinics", "cells|cellular", "tumour|tumor|growth",
    "cancer|malignancy", "heart|cardiac", "brain|cerebral", "blood|serum", "risk|danger|hazard", "risks|dangers|hazards", "harm|damage|injury", "damage|harm|destruction", "damaged|harmed|impaired",
    "destroyed|ruined|wrecked", "destroy|ruin|wreck", "protect|guard|shield", "protected|guarded|shielded", "protection|defence", "result|outcome|consequence", "results|outcomes|consequences",
    "resulted|ended", "effect|impact|influence", "effects|impacts|influences", "affect|influence|impact", "affected|influenced|impacted", "reason|motive|cause", "reasons|motives|causes",
    "goal|aim|objective", "goals|aims|objectives", "purpose|aim|intent", "method|technique|approach", "methods|techniques|approaches", "way|manner|method", "ways|manners|methods", "kind|type|sort",
    "kinds|types|sorts", "type|kind|sort", "types|kinds|sorts", "part|portion|section", "parts|portions|sections", "piece|part|bit", "group|set|band", "groups|sets|bands", "member|participant",
    "members|participants", "number|amount|figure", "numbers|figures|amounts", "amount|quantity|sum", "amounts|quantities", "percent|percentage", "total|overall|whole", "half|50 percent",
    "size|extent|dimensions", "length|distance", "height|elevation|altitude", "weight|mass", "speed|velocity|pace", "temperature|heat", "weather|climate", "rain|rainfall", "river|stream|waterway",
    "rivers|streams|waterways", "mountain|peak|hill", "mountains|peaks|hills", "sea|ocean", "forest|woods|woodland", "animal|creature|beast", "animals|creatures|beasts", "plant|vegetation",
    "food|nourishment", "eat|consume|feed on", "eats|consumes|feeds on", "water|liquid", "energy|power", "power|strength|might", "machine|device|apparatus", "machines|devices", "tool|instrument|implement",
    "tools|instruments|implements", "computer|pc|machine", "idea|concept|notion", "ideas|concepts|notions", "theory|hypothesis", "theories|hypotheses", "problem|issue|difficulty",
    "problems|issues|difficulties", "question|issue", "answer|reply|response", "solution|answer|remedy", "study|research|investigation", "studies|research|investigations", "scientist|researcher",
    "scientists|researchers|experts", "expert|specialist", "experts|specialists", "invented|devised|came up with", "inventor|creator|originator", "founder|creator|originator", "founded|established|set up",
    "established|founded|set up|instituted", "opened|launched|inaugurated", "launched|started|introduced", "introduced|brought in|launched", "developed|created|designed", "develop|create|design",
    "development|creation|growth", "designed|planned|developed", "moved|relocated|shifted", "move|relocate|shift", "travel|journey|trip", "travelled|traveled|journeyed", "arrived|came|reached",
    "arrive|come|reach", "left|departed|quit", "leave|depart|exit", "returned|came back|went back", "return|come back", "join|enter|connect", "joined|entered|became part of", "separate|divide|split",
    "separated|divided|split", "divided|split|separated", "combined|merged|united", "merged|combined|fused", "included|contained|comprised", "include|contain|comprise", "includes|contains|comprises",
    "consists|is made up", "consist|be made up", "hold|contain|have", "held|took place|kept", "occur|happen|take place", "occurred|happened|took place", "occurs|happens|takes place", "appear|emerge|turn up",
    "appeared|emerged|turned up", "appears|emerges|turns up", "seem|appear", "become|turn into", "became|turned into", "remain|stay", "remained|stayed", "remains|stays", "live|reside|dwell",
    "lived|resided|dwelt", "lives|resides|dwells", "living|residing", "born|birthplace", "married|wed", "wife|spouse", "husband|spouse", "father|dad|parent", "mother|mum|parent", "parents|mother and father",
    "son|child", "daughter|child", "family|relatives|household", "friend|companion|ally", "friends|companions|allies", "enemy|foe|opponent", "enemies|foes|opponents", "religion|faith|belief",
    "religious|spiritual", "church|chapel|parish", "god|deity", "holy|sacred", "king|monarch|ruler", "kings|monarchs|rulers", "queen|monarch", "army|military|troops", "soldier|fighter|trooper", "soldiers|troops|fighters",
    "weapon|arm", "weapons|arms", "police|officers", "crime|offence", "crimes|offences", "prison|jail", "court|tribunal", "judge|justice", "vote|ballot", "votes|ballots", "election|vote|poll",
    "elected|voted in|chosen", "president|head of state", "minister|secretary", "party|faction", "team|side|squad", "teams|sides|squads", "player|athlete", "players|athletes", "game|match|contest",
    "games|matches|contests", "coach|trainer|manager", "champion|winner|titleholder", "champions|winners", "season|year", "score|points", "award|prize|honour", "awards|prizes|honours",
    "language|tongue", "languages|tongues", "word|term", "words|terms|vocabulary", "meaning|sense|definition", "means|signifies|stands for", "mean|signify|stand for", "example|instance|case",
    "examples|instances|cases", "difference|distinction|contrast", "differences|distinctions", "similar|alike|comparable", "different|distinct|unlike", "same|identical|equal", "opposite|contrary|reverse",
    "true|correct|right", "false|wrong|incorrect", "possible|feasible", "impossible|unfeasible", "able|capable", "ability|capacity|skill", "abilities|capacities|skills", "role|function|part",
    "function|role|purpose", "functions|roles|purposes", "feature|trait|characteristic", "features|traits|characteristics", "property|attribute|quality", "properties|attributes|qualities",
    "reduce|lower|cut", "reduced|lowered|cut", "reduces|lowers|cuts", "reducing|lowering|cutting", "raise|lift|increase", "raised|lifted|increased", "improve|better|enhance", "improved|bettered|enhanced",
    "improves|betters|enhances", "associated|linked|connected|related", "related|linked|connected", "linked|tied|connected", "levels|amounts|concentrations", "level|amount|concentration", "higher|greater|more",
    "lower|less|smaller", "high|elevated|great", "low|reduced|small", "highest|greatest|top", "lowest|least", "greatest|largest|biggest", "expression|presence", "activation|switching on",
    "inhibits|blocks|suppresses", "inhibit|block|suppress", "inhibited|blocked|suppressed", "induces|triggers|causes", "induce|trigger|cause", "induced|triggered|caused", "promotes|encourages|favours",
    "promote|encourage|favour", "regulates|controls|governs", "regulate|control|govern", "controlled|regulated|managed", "control|manage|regulate", "demonstrate|show|prove", "demonstrated|showed|proved",
    "indicates|suggests|shows", "indicate|suggest|show", "suggested|proposed|indicated", "proposed|suggested|put forward", "announced|declared|made public", "declared|proclaimed|announced", "agreement|treaty|deal|pact",
    "treaty|agreement|pact", "peace|truce", "freedom|liberty", "right|entitlement", "rights|entitlements", "equal|same", "attempt|try|effort", "attempts|tries|efforts", "tried|attempted|sought",
    "failed|did not succeed", "successful|effective", "success|achievement", "achieved|accomplished|attained", "achieve|accomplish|attain", "ask|request", "asked|requested", "refused|declined|rejected",
    "rejected|refused|turned down", "accepted|agreed to|took", "removed|taken away|deleted", "remove|take away|delete", "replaced|substituted|took over from", "replace|substitute", "added|appended|put in",
    "covered|wrapped|coated", "spread|extended|expanded", "expanded|grew|extended", "expand|grow|extend", "expansion|growth|spread", "wide|broad", "narrow|thin", "tall|high", "deep|far down", "long|lengthy",
    "short|brief", "empty|vacant", "full|complete", "complete|whole|entire", "entire|whole|complete", "completed|finished|done", "part of|section of", "origin|source|beginning", "origins|roots|beginnings", "source|origin",
    "sources|origins", "century|hundred years", "decade|ten years", "annual|yearly", "daily|everyday", "currently|now|at present", "originally|at first|initially", "initially|at first|originally", "eventually|finally|in the end",
    "mainly|mostly|chiefly", "mostly|mainly|largely", "largely|mainly|mostly", "primarily|mainly|chiefly", "specifically|in particular", "generally|usually|broadly", "completely|entirely|fully", "exactly|precisely",
    "immediately|at once|right away", "together|jointly", "alone|by itself", "also|too|as well", "however|but|yet", "therefore|so|thus", "although|though|while", "whether|if", "within|inside", "outside|beyond", "against|opposed to",
};

enum { N_GROUPS = sizeof GROUPS / sizeof *GROUPS };
static qn_map words;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static qn_str member(const char *group, size_t k, size_t *n)
{
    qn_str got = { 0 }, g = qn_str_of(group);
    *n = 0;
    for (size_t i = 0, from = 0; i <= g.n; i++) {
        if (i < g.n && g.p[i] != '|') continue;
        if ((*n)++ == k) got = qn_str_sub(g, from, i);
        from = i + 1;
    }
    return got;
}

static void fill(void)
{
    for (uint64_t g = 0; g < N_GROUPS; g++) {
        size_t n = 1;
        for (size_t k = 0; k < n; k++) {
            bool fresh;
            uint64_t *at = qn_map_put_str(&words, member(GROUPS[g], k, &n), &fresh);
            if (fresh) *at = g << 8 | k;        /* the first group that has it */
        }
    }
}

static const uint64_t *place(qn_str word)
{
    char low[32];
    if (word.n == 0 || word.n > 30) return NULL;
    for (size_t i = 0; i < word.n; i++) low[i] = (char)tolower((unsigned char)word.p[i]);
    pthread_once(&once, fill);
    return qn_map_get_str(&words, (qn_str){ low, word.n });
}

int qn_en_group(qn_str word)
{
    const uint64_t *at = place(word);
    return at ? (int)(*at >> 8) : -1;
}

qn_str qn_en_synonym(qn_str word, qn_rng *r)
{
    size_t n;
    const uint64_t *at = place(word);
    if (!at) return (qn_str){ 0 };
    const char *group = GROUPS[*at >> 8];
    member(group, 0, &n);
    if (n < 2) return (qn_str){ 0 };
    size_t k = qn_rng_below(r, n - 1);
    return member(group, k < (*at & 255) ? k : k + 1, &n);
}

size_t qn_en_synonym_words(void)
{
    pthread_once(&once, fill);
    return words.n;
}
