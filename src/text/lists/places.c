/* places: countries with the words for their people, and well-known cities and regions. Lower case. */
#include "text/lists/lists.h"

/* name | people, adjectives, split by spaces; a space inside one is written _ */
const char *const qn_list_countries[] = {
    "afghanistan|afghan afghans", "albania|albanian albanians", "algeria|algerian algerians", "andorra|andorran", "angola|angolan angolans",
    "argentina|argentine argentinian argentines argentinians", "armenia|armenian armenians", "australia|australian australians aussie", "austria|austrian austrians",
    "azerbaijan|azerbaijani azeri", "bahamas|bahamian", "bahrain|bahraini", "bangladesh|bangladeshi bangladeshis", "barbados|barbadian", "belarus|belarusian belarusians",
    "belgium|belgian belgians", "belize|belizean", "benin|beninese", "bhutan|bhutanese", "bolivia|bolivian bolivians", "bosnia|bosnian bosnians", "botswana|botswanan",
    "brazil|brazilian brazilians", "brunei|bruneian", "bulgaria|bulgarian bulgarians", "burkina faso|burkinabe", "burundi|burundian", "cambodia|cambodian cambodians khmer",
    "cameroon|cameroonian cameroonians", "canada|canadian canadians", "chad|chadian", "chile|chilean chileans", "china|chinese", "colombia|colombian colombians",
    "congo|congolese", "costa rica|costa_rican", "croatia|croatian croatians croat", "cuba|cuban cubans", "cyprus|cypriot cypriots", "czechia|czech czechs",
    "czech republic|czech", "denmark|danish dane danes", "djibouti|djiboutian", "dominican republic|dominican dominicans", "ecuador|ecuadorian ecuadorians",
    "egypt|egyptian egyptians", "el salvador|salvadoran", "england|english", "eritrea|eritrean eritreans", "estonia|estonian estonians", "eswatini|swazi",
    "ethiopia|ethiopian ethiopians", "fiji|fijian", "finland|finnish finn finns", "france|french", "gabon|gabonese", "gambia|gambian", "georgia|georgian georgians",
    "germany|german germans", "ghana|ghanaian ghanaians", "greece|greek greeks", "grenada|grenadian", "guatemala|guatemalan guatemalans", "guinea|guinean", "guyana|guyanese",
    "haiti|haitian haitians", "honduras|honduran hondurans", "hungary|hungarian hungarians", "iceland|icelandic icelander icelanders", "india|indian indians",
    "indonesia|indonesian indonesians", "iran|iranian iranians persian", "iraq|iraqi iraqis", "ireland|irish", "israel|israeli israelis", "italy|italian italians",
    "ivory coast|ivorian", "jamaica|jamaican jamaicans", "japan|japanese", "jordan|jordanian jordanians", "kazakhstan|kazakh kazakhs", "kenya|kenyan kenyans",
    "kosovo|kosovar", "kuwait|kuwaiti kuwaitis", "kyrgyzstan|kyrgyz", "laos|laotian lao", "latvia|latvian latvians", "lebanon|lebanese", "lesotho|basotho",
    "liberia|liberian liberians", "libya|libyan libyans", "liechtenstein|liechtensteiner", "lithuania|lithuanian lithuanians", "luxembourg|luxembourger", "madagascar|malagasy",
    "malawi|malawian", "malaysia|malaysian malaysians", "maldives|maldivian", "mali|malian", "malta|maltese", "mauritania|mauritanian", "mauritius|mauritian",
    "mexico|mexican mexicans", "moldova|moldovan", "monaco|monegasque", "mongolia|mongolian mongolians", "montenegro|montenegrin", "morocco|moroccan moroccans",
    "mozambique|mozambican", "myanmar|burmese", "namibia|namibian", "nepal|nepali nepalese", "netherlands|dutch", "new zealand|new_zealander kiwi", "nicaragua|nicaraguan",
    "niger|nigerien", "nigeria|nigerian nigerians", "north korea|north_korean", "north macedonia|macedonian", "norway|norwegian norwegians", "oman|omani", "pakistan|pakistani pakistanis",
    "palestine|palestinian palestinians", "panama|panamanian", "paraguay|paraguayan", "peru|peruvian peruvians", "philippines|filipino filipina filipinos", "poland|polish pole poles",
    "portugal|portuguese", "qatar|qatari", "romania|romanian romanians", "russia|russian russians", "rwanda|rwandan rwandans", "saudi arabia|saudi saudis", "scotland|scottish scot scots",
    "senegal|senegalese", "serbia|serbian serbians serb serbs", "sierra leone|sierra_leonean", "singapore|singaporean singaporeans", "slovakia|slovak slovaks", "slovenia|slovenian slovenians slovene",
    "somalia|somali somalis", "south africa|south_african", "south korea|south_korean korean koreans", "spain|spanish spaniard spaniards", "sri lanka|sri_lankan", "sudan|sudanese",
    "suriname|surinamese", "sweden|swedish swede swedes", "switzerland|swiss", "syria|syrian syrians", "taiwan|taiwanese", "tajikistan|tajik", "tanzania|tanzanian tanzanians",
    "thailand|thai", "togo|togolese", "trinidad|trinidadian", "tunisia|tunisian tunisians", "turkey|turkish turk turks", "turkmenistan|turkmen", "uganda|ugandan ugandans",
    "ukraine|ukrainian ukrainians", "united arab emirates|emirati", "uae|emirati", "united kingdom|british briton britons", "uk|british", "great britain|british", "britain|british",
    "united states|american americans", "usa|american", "america|american", "uruguay|uruguayan uruguayans", "uzbekistan|uzbek uzbeks", "vatican|vatican", "venezuela|venezuelan venezuelans",
    "vietnam|vietnamese", "wales|welsh", "yemen|yemeni yemenis", "zambia|zambian zambians", "zimbabwe|zimbabwean zimbabweans", NULL
};

/* Split by |. */
const char *const qn_list_cities[] = {
    "london|paris|berlin|madrid|rome|vienna|lisbon|dublin|brussels|amsterdam|copenhagen|stockholm|oslo|helsinki|warsaw|prague|budapest|bucharest|sofia|athens|belgrade|zagreb|ljubljana|",
    "bratislava|tallinn|riga|vilnius|kyiv|kiev|minsk|moscow|saint petersburg|st petersburg|istanbul|ankara|izmir|nicosia|tunis|algiers|rabat|casablanca|cairo|alexandria|tripoli|khartoum|",
    "addis ababa|nairobi|mombasa|kampala|kigali|dar es salaam|lagos|abuja|accra|dakar|abidjan|kinshasa|luanda|lusaka|harare|johannesburg|cape town|durban|pretoria|windhoek|",
    "jerusalem|tel aviv|haifa|beirut|damascus|amman|baghdad|tehran|riyadh|jeddah|mecca|dubai|abu dhabi|doha|kuwait city|muscat|kabul|islamabad|karachi|lahore|delhi|new delhi|mumbai|bombay|",
    "kolkata|calcutta|chennai|madras|bangalore|bengaluru|hyderabad|pune|ahmedabad|kathmandu|dhaka|colombo|yangon|bangkok|hanoi|ho chi minh city|saigon|phnom penh|vientiane|kuala lumpur|",
    "singapore|jakarta|manila|beijing|shanghai|guangzhou|shenzhen|chengdu|wuhan|hong kong|taipei|seoul|busan|pyongyang|tokyo|osaka|kyoto|nagoya|yokohama|sapporo|ulaanbaatar|",
    "sydney|melbourne|brisbane|perth|adelaide|canberra|auckland|wellington|christchurch|",
    "new york|new york city|los angeles|chicago|houston|phoenix|philadelphia|san antonio|san diego|dallas|san jose|austin|jacksonville|fort worth|columbus|charlotte|san francisco|",
    "indianapolis|seattle|denver|washington|boston|el paso|nashville|detroit|oklahoma city|portland|las vegas|memphis|louisville|baltimore|milwaukee|albuquerque|tucson|fresno|",
    "sacramento|kansas city|atlanta|omaha|colorado springs|raleigh|miami|long beach|virginia beach|oakland|minneapolis|tulsa|tampa|arlington|new orleans|cleveland|pittsburgh|cincinnati|",
    "st louis|st. louis|orlando|buffalo|salt lake city|honolulu|anchorage|toronto|montreal|vancouver|calgary|edmonton|ottawa|winnipeg|quebec city|halifax|",
    "mexico city|guadalajara|monterrey|havana|kingston|panama city|bogota|medellin|cali|caracas|quito|lima|la paz|santiago|buenos aires|cordoba|montevideo|asuncion|",
    "rio de janeiro|sao paulo|brasilia|salvador|fortaleza|belo horizonte|",
    "manchester|birmingham|liverpool|leeds|glasgow|edinburgh|bristol|sheffield|cardiff|belfast|oxford|cambridge|newcastle|nottingham|southampton|",
    "munich|hamburg|cologne|frankfurt|stuttgart|dusseldorf|leipzig|dresden|nuremberg|hanover|bremen|zurich|geneva|basel|bern|salzburg|graz|",
    "milan|naples|turin|florence|venice|bologna|genoa|palermo|barcelona|valencia|seville|bilbao|zaragoza|malaga|porto|marseille|lyon|toulouse|nice|bordeaux|strasbourg|lille|nantes|",
    "rotterdam|the hague|utrecht|antwerp|ghent|gothenburg|malmo|bergen|aarhus|tampere|turku|krakow|gdansk|wroclaw|brno|debrecen|thessaloniki|",
    "europe|asia|africa|north america|south america|antarctica|scandinavia|middle east|",
    "alabama|alaska|arizona|arkansas|california|colorado|connecticut|delaware|florida|hawaii|idaho|illinois|indiana|iowa|kansas|kentucky|louisiana|maine|maryland|massachusetts|michigan|",
    "minnesota|mississippi|missouri|montana|nebraska|nevada|new hampshire|new jersey|new mexico|north carolina|north dakota|ohio|oklahoma|oregon|pennsylvania|rhode island|south carolina|",
    "south dakota|tennessee|texas|utah|vermont|virginia|west virginia|wisconsin|wyoming|ontario|quebec|british columbia|alberta|manitoba|nova scotia|bavaria|saxony|tuscany|sicily|",
    "catalonia|andalusia|normandy|brittany|queensland|new south wales|tasmania|punjab|kerala|gujarat|siberia|crimea|puerto rico|greenland|hawaii",
    NULL
};
