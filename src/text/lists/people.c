/* people: words that tell gender or age, their counterparts for swaps, and occupations. Lower case. */
#include "text/lists/lists.h"

/* female|male; what has no counterpart of one word is left out. "her" has two: see bias.c. */
const char *const qn_list_gender_pairs[] = {
    "she|he", "her|him", "hers|his", "herself|himself", "woman|man", "women|men", "girl|boy", "girls|boys", "mother|father", "mothers|fathers", "mom|dad", "moms|dads", "mum|dad", "mommy|daddy",
    "daughter|son", "daughters|sons", "sister|brother", "sisters|brothers", "wife|husband", "wives|husbands", "girlfriend|boyfriend", "aunt|uncle", "aunts|uncles", "niece|nephew", "nieces|nephews",
    "grandmother|grandfather", "grandma|grandpa", "granddaughter|grandson", "stepmother|stepfather", "stepdaughter|stepson", "stepsister|stepbrother", "godmother|godfather", "lady|gentleman", "ladies|gentlemen",
    "madam|sir", "ma'am|sir", "mrs|mr", "ms|mr", "miss|mister", "queen|king", "queens|kings", "princess|prince", "princesses|princes", "duchess|duke", "countess|count", "empress|emperor", "baroness|baron",
    "actress|actor", "actresses|actors", "waitress|waiter", "waitresses|waiters", "hostess|host", "stewardess|steward", "heroine|hero", "heroines|heroes", "goddess|god", "priestess|priest", "nun|monk", "nuns|monks",
    "bride|groom", "brides|grooms", "widow|widower", "widows|widowers", "female|male", "females|males", "feminine|masculine", "femininity|masculinity", "womanhood|manhood", "motherhood|fatherhood", "sisterhood|brotherhood",
    "businesswoman|businessman", "policewoman|policeman", "congresswoman|congressman", "chairwoman|chairman", "spokeswoman|spokesman", "saleswoman|salesman", "firewoman|fireman", "schoolgirl|schoolboy", "cowgirl|cowboy",
    "landlady|landlord", "headmistress|headmaster", "witch|wizard", "bachelorette|bachelor", "maternal|paternal", "matriarch|patriarch", "lesbian|gay", "ballerina|dancer", "midwife|obstetrician", "gal|guy", "gals|guys", "hen|rooster", "cow|bull", NULL
};

/* young|old */
const char *const qn_list_age_pairs[] = {
    "young|old", "younger|older", "youngest|oldest", "youth|old age", "teenager|pensioner", "teenagers|pensioners", "teen|senior", "teens|seniors", "teenage|elderly", "adolescent|elder", "adolescents|elders", "youngster|old person",
    "youngsters|old people", "millennial|boomer", "millennials|boomers", "juvenile|aged", "grandchild|grandparent", "grandchildren|grandparents", NULL
};

const char *const qn_list_occupations =
    "accountant actor actress architect artist astronaut athlete attorney author baker banker barber bartender biologist builder butcher captain carpenter cashier chef chemist cleaner clerk coach consultant cook counselor dancer "
    "dentist designer detective developer dietitian director doctor driver economist editor electrician engineer entrepreneur farmer firefighter fisherman guard guitarist gardener hairdresser historian housekeeper hunter "
    "inspector instructor investigator janitor journalist judge laborer lawyer lecturer librarian lifeguard machinist maid manager mathematician mayor mechanic midwife miller miner minister model musician nanny nurse officer "
    "painter paramedic pharmacist photographer physician physicist pianist pilot plumber poet politician president principal producer professor programmer psychiatrist psychologist receptionist reporter researcher sailor "
    "salesperson scientist secretary senator sheriff singer soldier student supervisor surgeon surveyor tailor teacher technician therapist trainer translator tutor veterinarian waiter waitress warrior welder writer ceo boss leader "
    "engineer expert assistant analyst broker auditor chairman chairwoman dean coder hacker sculptor novelist curator";
