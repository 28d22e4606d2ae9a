/* names: given names by the gender they are mostly given to, and family names, of many countries. Lower case, split by spaces. */
#include "text/lists/lists.h"

const char *const qn_list_names_female[] = {
    "mary patricia jennifer linda elizabeth barbara susan jessica sarah karen lisa nancy betty margaret sandra ashley kimberly emily donna michelle carol amanda ",
    "dorothy melissa deborah stephanie rebecca sharon laura cynthia kathleen amy angela shirley anna brenda pamela emma nicole helen samantha katherine christine ",
    "debra rachel carolyn janet catherine maria heather diane ruth julie olivia joyce virginia victoria kelly lauren christina joan evelyn judith megan andrea ",
    "cheryl hannah jacqueline martha gloria teresa ann sara madison frances kathryn janice jean abigail alice julia judy sophia denise amber doris marilyn ",
    "danielle beverly isabella theresa diana natalie brittany charlotte marie kayla alexis lori jane lillian tiffany lily eleanor zoe chloe lucy ella mia ava ",
    "amelia harriet phoebe imogen gemma fiona eileen siobhan niamh aoife ciara maeve bridget sheila moira isla ",
    "camille manon lea lucie chantal sylvie francoise brigitte nathalie veronique isabelle dominique aurelie celine elodie amelie margaux genevieve josephine ",
    "ursula renate helga ingrid monika sabine petra heike birgit gisela hildegard anke katrin anja silke nadine franziska johanna magdalena lena greta liesel ",
    "giulia chiara francesca elena paola federica silvia valentina alessandra roberta simona elisa martina ilaria lucia giovanna carmela rosaria ",
    "carmen dolores pilar mercedes rosa josefa isabel cristina marta beatriz raquel ines rocio consuelo guadalupe juana esperanza ximena camila mariana daniela ",
    "gabriela fernanda paula ana luisa adriana leticia juliana bruna larissa thais julieta florencia catalina alejandra yolanda lourdes ",
    "ingeborg astrid sigrid solveig kari marit hanne mette pernille freja ida maja linnea elin ebba saga kristin katrine birgitta gunilla ulla kerstin maj ",
    "aino helmi kaarina kaija liisa hilkka riitta eeva sari paivi tuula anneli marjatta ",
    "anastasia ekaterina tatiana olga natalia svetlana irina galina lyudmila ludmila yulia oksana daria ksenia polina vera nadezhda lyubov zoya faina tamara raisa ",
    "agnieszka katarzyna malgorzata ewa krystyna zofia barbora jana hana lenka eva tereza katerina sarka alena ivana jitka marketa dagmar bozena ruzena milena vesna ",
    "jelena mirjana snezana ljiljana dragana gordana biljana ana nevena kristina tanja nina mojca spela marija petra ",
    "katalin ildiko zsuzsanna eszter ilona erzsebet judit anita agnes szabina janka boglarka orsolya ",
    "elena ioana andreea mihaela gabriela simona alina roxana ruxandra eleni sofia georgia vasiliki katerina despina dimitra ",
    "ayse fatma emine hatice zeynep elif meryem merve esra busra ebru sibel ",
    "fatima aisha khadija zainab maryam layla leila noor amina yasmin salma hanan samira nadia rania huda farah soraya shirin parvaneh ",
    "priya anjali deepa lakshmi sunita kavita pooja neha divya ananya meera sita radha shreya aishwarya indira kamala rukmini padma ",
    "mei xiu ying fang hui jing xiaoming lihua yuki sakura yoko keiko haruka akiko hiroko naoko tomoko emiko michiko kumiko ayumi ",
    "minji jiyoung soojin eunji hyejin seoyeon linh thuy huong lan phuong mai ngoc siti dewi putri nurul wati ",
    "amara chioma ngozi adaeze ifeoma folake yetunde wanjiru akinyi nyambura thandiwe nomvula zanele lindiwe abena akosua adwoa esi makeda tigist ",
    "kristen brittney jodi abby caitlin katie kate megan meghan molly holly wendy tracey stacy stacey tammy tina robyn rhonda regina renee rosemary loretta lorraine louise lynn lynne lydia ",
    "marcia marjorie maureen maxine mildred miranda myra nadine norma nora pauline penny peggy phyllis priscilla rita roberta ruthie sally sherry sheryl sonia sonya stella sylvia ",
    "thelma vanessa vera vicki vivian wanda yvonne yvette gladys gwendolyn hazel harriet henrietta ida irene jeanette jenna jenny jill joanna joanne jocelyn josie juanita kristina krista ",
    "lena leona leah becky bonnie bernice bethany beth betsy bertha bianca candice carla carly carrie cassandra cecilia charlene christa cindy claire clara claudia colleen connie ",
    "cora courtney darlene debbie deanna desiree doreen edith elaine ellen elsie erica erika erin esmeralda estelle ethel eunice eva faye felicia flora gail geraldine gertrude gina ",
    "glenda antonia annette annie april ariana arlene audrey barbie bella alma alexandra alexandria alicia allison allyson alyssa amie anita antoinette naomi ",
    "marianne marisa maribel mathilde ottilie pernilla ragnhild sunniva tuulikki ulrike vendula zdenka zuzana ginevra beatrice benedetta caterina cecilie ",
    "miriam rivka tamar shira noa yael esther hadassah naomi abigayle chana devorah rochel",
    NULL
};

const char *const qn_list_names_male[] = {
    "james robert john michael david william richard joseph thomas charles christopher daniel matthew anthony donald steven andrew paul joshua kenneth kevin ",
    "brian george timothy ronald jason edward jeffrey ryan jacob gary nicholas eric jonathan stephen larry justin scott brandon benjamin samuel gregory alexander ",
    "patrick jack dennis jerry tyler aaron jose adam nathan henry zachary douglas peter kyle noah ethan jeremy walter keith austin roger terry sean gerald carl ",
    "dylan harold jordan jesse bryan lawrence arthur gabriel bruce logan billy joe alan juan albert willie elijah wayne randy vincent mason roy ralph bobby russell ",
    "bradley philip eugene oliver liam harry oscar archie alfie freddie theodore ewan callum angus hamish declan cormac seamus padraig fergus niall ",
    "jean pierre michel philippe alain jacques bernard claude andre rene francois laurent thierry olivier pascal guillaume antoine etienne marcel gaston luc mathieu ",
    "hans klaus jurgen wolfgang dieter manfred uwe heinz horst helmut gerhard gunter stefan andreas matthias jens sven torsten karl friedrich ludwig johannes ",
    "lukas felix maximilian leon jonas florian tobias sebastian markus rainer rudolf otto fritz ernst kurt siegfried ",
    "giovanni giuseppe antonio mario luigi francesco angelo vincenzo pietro salvatore carlo franco domenico bruno paolo michele giorgio aldo luca marco matteo ",
    "lorenzo alessandro riccardo fabio stefano roberto massimo enrico federico ",
    "manuel francisco miguel carlos luis javier alejandro diego pablo fernando sergio rafael alvaro pedro enrique ramon ricardo eduardo jorge hector raul ernesto ",
    "gustavo julio cesar esteban ignacio gonzalo santiago mateo rodrigo joao tiago thiago caio vitor gilberto marcelo leonardo renato otavio joaquim ",
    "erik lars anders per nils bjorn gunnar olof sven mats magnus johan fredrik mikael henrik ole knud jorgen niels soren rasmus mads kristian oyvind trond ",
    "juhani matti pekka timo jukka antti mikko heikki tapio eino vaino johannes sigurdur jon gunnlaugur ",
    "ivan alexei alexey dmitri dmitry sergei sergey vladimir mikhail nikolai andrei boris yuri igor oleg viktor pavel anatoly konstantin maxim roman leonid gennady ",
    "jan piotr krzysztof andrzej tomasz pawel marcin michal jerzy jiri petr josef vaclav zdenek frantisek milan lubos vojtech jaroslav miroslav stanislav jonas ",
    "marko nikola stefan milos dragan zoran goran slobodan bojan dejan vladislav branko darko matej ales janez ljubo ",
    "laszlo istvan jozsef zoltan sandor gabor ferenc attila tamas krisztian csaba balazs gergely imre bela mihaly ",
    "ion gheorghe mihai andrei vasile constantin radu nicolae georgios dimitrios konstantinos ioannis nikolaos panagiotis vasilis christos spyros ",
    "mehmet mustafa ahmet ali huseyin hasan ibrahim ismail osman yusuf murat emre burak hakan serkan ",
    "mohammed muhammad mohamed ahmed omar hassan hussein khalid abdullah abdul youssef karim tariq bilal hamza samir nabil faisal rashid reza hossein mehdi amir ",
    "rahul amit raj rajesh suresh ramesh vijay anil sanjay arjun rohan vikram ravi krishna arun deepak ashok manoj prakash mahesh gopal harish venkat ",
    "wei jun ming hiroshi takashi kenji satoshi akira makoto haruto kazuo yoshio ichiro jiro shinji daisuke ",
    "minho jihoon sungmin donghyun youngsoo hyunwoo tuan minh nguyen duc hung budi agus eko joko bambang wahyu ",
    "kwame kofi kojo kwabena chidi emeka chinedu olumide tunde babatunde oluwaseun kamau otieno mwangi kipchoge sipho thabo mandla tendai tafadzwa haile tesfaye ",
    "todd brad freddy fred bert allan allen alvin arnold barry ben benny bernie brent brett byron calvin casey cecil cedric chad chester clarence clark claude clayton clifford clifton clinton ",
    "clyde cody corey cory craig curtis dale damon dan danny darrell darren darryl dave derek derrick don donnie doug duane dustin dwayne dwight earl eddie edgar edmund edwin elliot elmer ",
    "ernest evan everett floyd francis franklin gabe garrett geoffrey geoff gilbert glen glenn gordon greg guy harvey herbert herman howard hugh hugo isaac ivan jackie jake jared jay jeff ",
    "jerome jim jimmy joel joey johnny jon jonathon karl keegan ken kenny kirk kristopher kurt lance leo leon leonard leroy leslie lester lewis lloyd lonnie louis luke luther lyle ",
    "marc marcus mario marshall martin marvin mathew maurice melvin micah mickey mike milton mitchell morris neil nelson norman oscar owen perry pete phil preston quentin ralph randall ",
    "reginald rex rick ricky rob robbie rod rodney ron ronnie ross ruben rudy sammy saul shane shaun shawn sidney simon spencer stan stanley steve stewart stuart ted terrence theo tim ",
    "tom tommy tony tracy travis trevor tristan troy tyrone vernon wade wallace warren wesley willard zach matheus einar gerard hakon ",
    "moshe david avraham yitzhak yaakov shlomo eitan noam ariel",
    NULL
};

const char *const qn_list_names_either[] = {
    "alex sam chris pat jamie taylor casey riley morgan avery quinn rowan skyler robin lee kim kit sasha jessie kerry leslie lindsay dana tracy shannon blair ",
    "dakota emerson finley hayden jules lou max nico noel peyton reese remy sidney toni val andy charlie frankie jackie kai yi chen xin hong li",
    NULL
};

/* Words that are also given names: by themselves, or at the start of a sentence, they say nothing. */
const char *const qn_list_names_words[] = {
    "will mark grace may june april august faith hope joy rose lily iris ivy daisy violet olive ruby pearl amber crystal jade ginger basil sage bill bob jack art ",
    "frank grant chase chance miles rich dean earl duke gene guy pat rob sue drew lance victor dawn eve summer autumn christian angel paris florence austin dallas ",
    "jordan israel georgia virginia madison brooklyn carol melody harmony patience prudence max sam an ion per jan jean mai can ming wei jun li yi chen hong lee kim ",
    "ray roman ali ole mason logan hunter jose maria lan fang mei esi esperanza mercedes dolores consuelo guadalupe santiago lourdes saga star kit val noel toni ",
    "carmen rosa luz sky river rowan blair lou remy theodore nina sari minh",
    NULL
};

const char *const qn_list_family_names[] = {
    "smith johnson williams brown jones garcia miller davis rodriguez martinez hernandez lopez gonzalez wilson anderson thomas taylor moore jackson martin lee perez ",
    "thompson white harris sanchez clark ramirez lewis robinson walker young allen king wright scott torres nguyen hill flores green adams nelson baker hall rivera ",
    "campbell mitchell carter roberts gomez phillips evans turner diaz parker cruz edwards collins reyes stewart morris morales murphy cook rogers gutierrez ortiz ",
    "morgan cooper peterson bailey reed kelly howard ramos kim cox ward richardson watson brooks chavez wood bennett gray mendoza ruiz hughes price alvarez castillo ",
    "sanders patel myers long ross foster jimenez powell jenkins perry russell sullivan bell coleman butler henderson barnes fisher vasquez simmons graham murray ",
    "mcdonald o'brien o'connor macdonald fraser hamilton ferguson kennedy gallagher doherty quinn byrne ",
    "muller schmidt schneider fischer weber meyer wagner becker schulz hoffmann schafer koch bauer richter klein wolf schroder neumann schwarz zimmermann braun kruger hofmann hartmann lange ",
    "bernard dubois durand leroy moreau simon laurent lefebvre michel garnier faure rousseau blanc guerin boyer girard ",
    "rossi russo ferrari esposito bianchi romano colombo ricci marino greco bruno gallo conti costa giordano mancini rizzo lombardi moretti ",
    "silva santos oliveira souza pereira lima carvalho ferreira ribeiro almeida fernandes rocha ",
    "andersson johansson karlsson nilsson eriksson larsson olsson persson svensson hansen johansen olsen larsen andersen nielsen jensen pedersen kristensen rasmussen christensen christiansen ",
    "korhonen virtanen makinen nieminen makela hamalainen laine heikkinen koskinen ",
    "ivanov petrov smirnov kuznetsov popov sokolov lebedev kozlov novikov morozov volkov ivanova petrova ",
    "nowak kowalski kowalska wisniewski wojcik kaminski lewandowski zielinski novak svoboda novotny dvorak cerny prochazka kucera horvat kovacevic jovanovic petrovic nikolic markovic ",
    "nagy kovacs toth szabo horvath varga kiss molnar nemeth farkas balogh papp kiraly szasz ",
    "popescu ionescu papadopoulos yilmaz kaya demir celik sahin yildiz ozturk ",
    "khan ahmed hussain ali singh kumar sharma gupta verma mehta reddy iyer nair das chowdhury rao mukherjee banerjee chatterjee ",
    "wang zhang liu chen yang zhao huang zhou wu xu sun zhu gao lin tanaka suzuki takahashi watanabe ito yamamoto nakamura kobayashi kato yoshida park choi jung kang cho yoon tran pham hoang ",
    "okafor okonkwo adeyemi mensah owusu mwangi ochieng dlamini nkosi ndlovu abebe cohen levy mizrahi goldberg friedman katz rosenberg shapiro",
    NULL
};

/* What stands before a name. */
const char *const qn_list_titles[] = {
    "mr mrs ms miss mx dr prof professor sir madam lady lord judge justice senator president captain colonel general sergeant officer ",
    "herr frau monsieur madame mademoiselle senor senora don dona signor signora father sister brother rabbi imam reverend rev hon",
    NULL
};
