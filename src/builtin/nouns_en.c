/* Nouns that stand in table headers, so that a header nobody knows is not taken for one: what a thing can be, what is measured, what is
 * counted. A header whose last word is in none of the lists is not asked about. */
#include "builtin/words_en.h"
#include <ctype.h>

static const char THINGS[] =
    " act actor actress address affiliation agency aircraft airline airport album alphabet ambassador animal anthem architect architecture area_code arena artist "
    "asteroid astronaut athlete author award band bank base bassist battle bird bishop book borough branch brand breed bridge broadcaster builder building "
    "callsign candidate canton capital captain car castle category cause chairman champion championship chancellor channel character chassis chemical chip church "
    "cinematographer circuit citizenship city class classification club coach code codec college colour color comet commander community company competition "
    "composer composition conductor conference confederation connector constellation constituency constructor contestant continent country county creator crop "
    "crossing cuisine currency cyclist dam degree denomination department deputy design designation designer destination developer dialect diocese "
    "director discipline disease dish distributor district division dog drink driver drummer drug duchess duke dynasty editor element employer engine engineer "
    "era ethnicity event faction faculty family fate father festival field fighter fish fleet font food format formation founder fruit fuel function galaxy gauge "
    "gender gene genre genus golfer government governor group guitarist habitat headquarters highway hometown horse host hotel hub illustrator incumbent "
    "industry ingredient institution instrument interface inventor island jockey judge jurisdiction king label lake language law leader league librettist "
    "licence license lift livery location locomotive lyricist major manager manufacturer mascot material mayor medium member mentor method mill mine "
    "mineral minister mission model monarch monument moon mother motto mountain movement municipality museum musician narrator nation nationality neighborhood "
    "neighbourhood network newspaper nickname nominee novel occupation office opera operator opponent orbit orchestra order organisation organization origin owner "
    "painter painting parish park party performer person piece planet plant platform player poet poll_company pope port position "
    "predecessor presenter president principal processor producer product profession program programme project propellant protein protocol province "
    "publisher queen race railway range recipient regiment region religion representative residence restaurant rider river road rocket role route "
    "saint satellite school screenwriter script sculptor sculpture season secretary section sector senator series service sex shape ship shipyard show singer "
    "single site skater skier slogan socket software song songwriter spacecraft species specialty sponsor sport spouse stadium stage star state station "
    "status street structure studio style subject successor supplier surface swimmer symbol team territory theatre theater tournament town trainer translator "
    "treaty tree tribe tunnel type university vaccine vegetable vehicle vendor venue vessel village vocalist ward weapon windmill wine winner wrestler writer "
    "yacht zone paradigm typing birthplace planet's film movie game cup work edition expedition election conflict war explorer ";

static const char MEASURES[] =
    " age altitude area attendance budget capacity circumference consumption cost debt density depth diameter displacement distance duration earnings elevation "
    "enrollment enrolment fee frequency gdp gross height income length mass money output population power precipitation pressure price production profit prize "
    "radius rainfall revenue salary speed temperature thickness tonnage turnout value voltage volume wage wavelength weight width winnings point "
    "percentage percent share rate ratio rating average margin sales ";
static const char SHARES[] = " percentage percent share rate ratio rating average margin density turnout ";

static const char COUNTED[] =
    " aircraft airport airline appearance assist attempt award bed birdie birth book branch building bus candidate cap car card casualty catch century chapter child "
    "city club company copy corner councillor county cut death defeat delegate deputy destination district door double draw employee engine episode family "
    "female floor foul fumble game gear goal guest gun hit home_run hotel household house hospital inning interception issue job lane language lap launch locomotive "
    "loss male man match medal member municipality nomination page passenger penalty platform player podium point pole race rebound reception resident room route "
    "run sack save school seat shot song soldier species start station steal stop store story strikeout student tackle tank teacher team ticket tie title touchdown "
    "tourist track train tree triple troop try vehicle victory viewer village visitor volume vote voter wicket win woman yard moon ";

static bool listed(const char *list, qn_str w)
{
    char key[48];
    if (w.n < 2 || w.n > 40) return false;
    key[0] = ' ';
    for (size_t i = 0; i < w.n; i++) key[i + 1] = (char)tolower((unsigned char)w.p[i]);
    key[w.n + 1] = ' ';
    key[w.n + 2] = 0;
    return strstr(list, key) != NULL;
}

/* The head of a noun phrase: the word in front of a preposition, else the last. */
static qn_str head_of(qn_str p)
{
    static const char *const PREP[] = { " of ", " at ", " in ", " from ", " by ", " for ", " on " };
    size_t end = p.n;
    for (size_t i = 0; i < sizeof PREP / sizeof *PREP; i++) {
        ptrdiff_t at = qn_str_find(p, qn_str_of(PREP[i]));
        if (at > 0 && (size_t)at < end) end = (size_t)at;
    }
    size_t from = end;
    while (from > 0 && p.p[from - 1] != ' ') from--;
    return qn_str_sub(p, from, end);
}

qn_noun qn_en_noun(qn_arena *a, qn_str phrase)
{
    qn_str h = head_of(phrase), one = qn_en_singular(a, h);
    bool plural = !qn_str_eq(h, one);
    if (plural && listed(COUNTED, one)) return QN_NOUN_COUNTED;
    if (listed(SHARES, h)) return QN_NOUN_SHARE;
    if (listed(MEASURES, h)) return QN_NOUN_MEASURE;
    if (listed(THINGS, one)) return plural ? QN_NOUN_THINGS : QN_NOUN_THING;
    return QN_NOUN_NONE;
}
