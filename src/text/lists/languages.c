/* languages: function words and letters of languages that share a script, for texts too short for statistics over letters. */
#include "text/lists/lists.h"

#define LANG(code, script, letters, words)  { code, script, letters, words, 0 }
#define SMALL(code, script, letters, words) { code, script, letters, words, 1 }

const qn_list_language qn_list_languages[] = {
    LANG("en", QN_SCRIPT_LATIN, "", "the of and to in is was that for it with as his on be at by i this had not are but from or have an they which one you were her "
      "all she there would their we him been has when who will more no if out so said what up its about into than them can only other new some "
      "could time these two may then do first any my now such like our over man me even most made after also did many before must through "
      "how where why does whose whom your under between during year"),
    LANG("de", QN_SCRIPT_LATIN, "äöüß", "der die und in den von zu das mit sich des auf für ist im dem nicht ein eine als auch es an werden aus er hat dass sie nach wird bei "
      "einer um am sind noch wie einem über einen so zum war haben nur oder aber vor zur bis mehr durch man sein wurde wenn ihre seine unter wer "
      "was wann wo warum welche welcher welches wieviel viele gibt hatte kann diese dieser ihr ich wir wurden zwischen gegen vom waren"),
    LANG("nl", QN_SCRIPT_LATIN, "éëïóö", "de van het een en in is dat op te zijn met voor niet aan er om ook als dan maar bij door uit over naar nog hij zij wordt worden werd "
      "hun deze dit die heeft hebben was waren of tot tegen kan wat wie waar wanneer hoe welke hoeveel waarom zich meer geen onder ik je we u mijn"),
    LANG("sv", QN_SCRIPT_LATIN, "åäöé", "och i att det som en på är av för med den till ett inte var om har de han men så från vi hon sig kan när där efter eller vid man "
      "vad vem hur varför vilken vilket vilka hade skulle detta denna blev under mellan också mycket bara något många deras"),
    LANG("da", QN_SCRIPT_LATIN, "æøåé", "og i at det som en på er af for med den til et ikke var om har de han men så fra vi hun sig kan når der efter eller ved man hvad hvem "
      "hvordan hvorfor hvilken hvilket hvor havde skulle dette denne blev under mellem også meget kun noget mange deres blive efter"),
    LANG("no", QN_SCRIPT_LATIN, "æøåé", "og i å det som en på er av for med den til et ikke var om har de han men så fra vi hun seg kan når der etter eller ved man hva hvem "
      "hvordan hvorfor hvilken hvilket hvor hadde skulle dette denne ble under mellom også mye bare noe mange deres bli ut opp"),
    LANG("fi", QN_SCRIPT_LATIN, "äöå", "ja on ei että se hän oli ovat mutta kun niin kuin myös tai joka jotka mitä mikä kuka missä milloin miksi kuinka monta ole olla sen "
      "ne he me sitä tämä nämä jos vain ollut mukaan sekä vielä jälkeen kanssa"),
    SMALL("is", QN_SCRIPT_LATIN, "áðéíóúýþæö", "og að í á er sem var til við um ekki það hann hún með en af frá fyrir þeir hvað hver hvar hvenær hvers vegna hvernig eru voru "
      "þetta eða þegar hefur hafa"),
    LANG("es", QN_SCRIPT_LATIN, "áéíóúüñ¿¡", "de la que el en y a los se del las un por con no una su para es al lo como más o pero sus le ha me si sin sobre este ya entre "
      "cuando todo esta ser son dos también fue había era muy años hasta desde está mi porque qué quién cuál cuándo dónde cómo cuánto cuántos cuántas "
      "cuáles quiénes hay eran fueron tiene donde él ella ellos durante contra"),
    LANG("pt", QN_SCRIPT_LATIN, "ãõáéíóúâêôçà", "de a o que e do da em um para com não uma os no se na por mais as dos como mas ao ele das à seu sua ou quando muito nos já eu "
      "também só pelo pela até isso ela entre depois sem mesmo aos seus quem nas me esse eles você essa foi são ser qual quais onde quantos quantas era "
      "é há está porque"),
    SMALL("gl", QN_SCRIPT_LATIN, "áéíóúüñ", "de a o que e do da en un para con non unha os no se na por máis as dos como pero ao el das seu súa ou cando moi nos xa eu tamén "
      "foi son ser cal onde cantos era é hai está porque polo pola ata isto ela entre despois sen quen"),
    LANG("ca", QN_SCRIPT_LATIN, "àçéèíïóòúü·", "de la que el i en a els les un per amb no una del es al com més o però ha si sobre entre quan tot ser són dos també fou va havia "
      "molt anys fins des està què qui quin quina quins quan on quant quants hi aquest aquesta seva seu pel dels als"),
    LANG("fr", QN_SCRIPT_LATIN, "àâæçéèêëîïôœùûüÿ", "de la le et les des en un du une que est pour qui dans a par plus pas au sur ne se il ce sont avec son ou aux mais sa ses cette "
      "comme on tout nous ont été ces deux même fait elle était leur où vous si aussi quand quel quelle quels quelles comment pourquoi combien quoi "
      "je ils être avait entre sans après y d l qu c n s"),
    LANG("it", QN_SCRIPT_LATIN, "àèéìíòóù", "di e il la che in a per un è del non una sono con i da le si al nel della dei come più lo ma gli alla ha su anche o dalla delle "
      "questo se era ne ci loro suo sua quando chi cosa dove perché quale quali quanto quanti quante stato essere fu degli nella tra fra dal sul all dell l"),
    LANG("ro", QN_SCRIPT_LATIN, "ăâîșțşţ", "de și în a la cu pe nu o care din este un că au se mai pentru fost ce sau lui prin al ale ei lor sunt era dar după cel cea cei cele "
      "între unde când cum cine cât câți câte câtă care are asupra fi fără sa său ar avea ca am unei unui acest această acestei către doar fel i l"),
    LANG("pl", QN_SCRIPT_LATIN, "ąćęłńóśźż", "w i na z do się nie to jest o że jak za po od przez dla co czy był była było były ale tak oraz ten ta te który która które kto "
      "gdzie kiedy dlaczego ile jaki jaka jakie są ma może tylko przy jego jej ich lub już być"),
    LANG("cs", QN_SCRIPT_LATIN, "áčďéěíňóřšťúůýž", "a v se na je že s z do i o k ve to pro za by jsem ale jako po co která který které od jeho tak byl byla bylo byli jsou nebo "
      "si také kdo kde kdy proč kolik jaký jaká jaké při podle mezi aby už jen být"),
    LANG("sk", QN_SCRIPT_LATIN, "áäčďéíĺľňóôŕšťúýž", "a v sa na je že s z do i o k vo to pre za by som ale ako po čo ktorá ktorý ktoré od jeho tak bol bola bolo boli sú alebo si "
      "tiež kto kde kedy prečo koľko aký aká aké pri podľa medzi aby už len byť"),
    LANG("sl", QN_SCRIPT_LATIN, "čšž", "in je v na se da za so ki z po s pa ne bi o ali kot od tudi do ni pri še bil bila bilo kdo kaj kje kdaj zakaj koliko kateri katera "
      "kako med pred ter iz bolj"),
    LANG("hr", QN_SCRIPT_LATIN, "čćđšž", "i je u na se da su za od s a o koji koja koje ne kao iz što bi ili po do te ali bio bila bilo tko gdje kada zašto koliko kako među "
      "prije nakon više samo još biti"),
    LANG("hu", QN_SCRIPT_LATIN, "áéíóöőúüű", "a az és hogy nem is egy van volt meg ez ki mi hol mikor miért hány melyik milyen mint már csak még de ha vagy el után szerint "
      "között voltak lett ezt azt nagy"),
    LANG("tr", QN_SCRIPT_LATIN, "çğıöşüâî", "ve bir bu da de için ile olarak çok daha ne en gibi kadar sonra olan var o ama ki mi mı mu mü her ya veya kim kimdir nerede nasıl "
      "neden hangi kaç nedir ilk iki göre tarafından değil oldu olduğu zaman hangisi arasında sadece kim olduğunu ise"),
    SMALL("az", QN_SCRIPT_LATIN, "çəğıöşü", "və bir bu da də üçün ilə olaraq çox daha nə ən kimi qədər sonra olan var o amma ki mi hər ya və kim harada necə hansı neçə ilk iki "
      "görə tərəfindən deyil olub idi edir"),
    LANG("vi", QN_SCRIPT_LATIN, "àáâãèéêìíòóôõùúýăđĩũơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ",
      "và của là có được trong cho với không một các những người này đã khi để ở từ đó như về năm ra vào tại nào gì ai đâu sao bao nhiêu thế cũng "
      "nhưng theo đến sự nhất hơn bị do bởi trên ông"),
    LANG("id", QN_SCRIPT_LATIN, "", "yang dan di dari dengan untuk pada adalah ini itu dalam tidak akan oleh sebagai ke juga atau karena ada telah dapat bisa apa siapa di "
      "mana kapan mengapa bagaimana berapa mereka kami kita saya anda ia dia lebih sangat secara tahun para antara"),
    LANG("et", QN_SCRIPT_LATIN, "äõöüšž", "ja on ei et see oli ka kui aga mis kes kus millal miks kuidas mitu ta nad oma või ning siis veel kõik olid seda pärast"),
    LANG("lv", QN_SCRIPT_LATIN, "āčēģīķļņšūž", "un ir ar no par uz kas ka tas bija kā vai arī pēc bet pie kur kad kāpēc cik kurš tika gan ko viņš"),
    LANG("lt", QN_SCRIPT_LATIN, "ąčęėįšųūž", "ir yra kad su į iš tai buvo kaip bet ar po dėl kas kur kada kodėl kiek kuris jis ji jo apie nuo prie taip"),
    SMALL("sq", QN_SCRIPT_LATIN, "çë", "dhe në të e i për me që nga një është u si më nuk ka janë ishte kush ku kur pse sa cili por ose këtë kjo"),
    SMALL("eu", QN_SCRIPT_LATIN, "ñ", "eta da ez bat zen du ere dira izan baina hau zer nor non noiz nola zenbat zein dute egin hori"),
    SMALL("af", QN_SCRIPT_LATIN, "êëéôû", "die van en in het is nie 'n dat op te met vir aan was as sy ook om wat wie waar wanneer hoekom hoeveel hulle ons deur uit na kan sal"),
    LANG("sw", QN_SCRIPT_LATIN, "", "ya na wa kwa ni katika la za kuwa cha yake hii hiyo alikuwa nini nani wapi lini kwamba lakini pia kama watu mwaka"),
    LANG("tl", QN_SCRIPT_LATIN, "", "ang ng sa na mga ay at si ito ni para kung hindi ano sino saan kailan bakit paano ilan siya niya kanyang isang mula"),
    LANG("ru", QN_SCRIPT_CYRILLIC, "ыэёъщ", "и в не на что с он по это как а к но у из за от о для то так же его бы её или был была было были при до их когда кто где почему "
      "сколько какой какая какие чем мы вы я если только также после во со честь кого чего"),
    LANG("uk", QN_SCRIPT_CYRILLIC, "іїєґщ", "і в не на що з він по це як а до але у із за від о для та так його її або був була було були при їх коли хто де чому скільки який "
      "яка які чим ми ви я якщо тільки також після й"),
    SMALL("be", QN_SCRIPT_CYRILLIC, "іўыэё", "і ў не на што з ён па гэта як а да але у за ад для так яго яе або быў была было былі пры іх калі хто дзе чаму колькі які якая якія "
      "мы вы я"),
    LANG("bg", QN_SCRIPT_CYRILLIC, "ъщ", "и в на се да не с е за от че по са до като си той тя но а към при или са беше бил била кой къде кога защо колко какво каква какви "
      "които който която през след ще със във"),
    SMALL("mk", QN_SCRIPT_CYRILLIC, "ѓќљњџѕј", "и во на се да не со е за од дека по се до како си тој таа но а кон при или беше кој каде кога зошто колку што која кои"),
    LANG("sr", QN_SCRIPT_CYRILLIC, "ђћљњџј", "и у на се да не са је за од по су до као он она али а при или био била ко где када зашто колико шта који која које из што"),
    LANG("ar", QN_SCRIPT_ARABIC, "ةىأإؤئ", "في من على إلى أن عن مع هذا هذه التي الذي كان كانت ما لا هو هي ذلك بعد كل بين قد لم ثم أو و متى أين كيف كم لماذا هل أي ماذا"),
    LANG("fa", QN_SCRIPT_ARABIC, "پچژگکی", "در از به که را با این است آن و برای بر یک تا هم می بود شد خود های ما چه کی کجا چرا چگونه چند یا اما"),
    LANG("ur", QN_SCRIPT_ARABIC, "پچژگٹڈڑںےہھ", "کے میں کی سے ہے اور کا کو نے پر یہ کہ ایک اس ہیں تھا وہ جو بھی کیا کون کہاں کب کیوں کیسے کتنے ہو گیا"),
    LANG("hi", QN_SCRIPT_DEVANAGARI, "ड़ढ़", "के में की है से का को और ने पर यह कि एक इस हैं था वह जो भी क्या कौन कहाँ कहां कब क्यों कैसे कितने कितनी किस किसने हो गया थे थी लिए नहीं"),
    LANG("mr", QN_SCRIPT_DEVANAGARI, "ळ", "आहे च्या आणि या व ते की हे मध्ये होते होता एक तर आहेत काय कोण कुठे केव्हा का कसे किती नाही त्या साठी ने"),
    LANG("ne", QN_SCRIPT_DEVANAGARI, "", "को छ र मा ले यो हो पनि लागि गर्न भएको थियो एक के कसले कहाँ कहिले किन कसरी कति गरेको हुन् र"),
    { NULL, QN_SCRIPT_LATIN, NULL, NULL, 0 }
};
