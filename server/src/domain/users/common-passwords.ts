import { foldCase } from './identity.ts';

/**
 * The passwords that are tried first, as far as they have the eight characters a password needs: lists of leaked
 * passwords have the same ones at their top year after year, with a year or a sign at their end.
 */
const words = `
password password1 password12 password123 password1234 password12345 password123456 password! password1! password123!
password@1 password@123 password01 password11 password2 passwords passw0rd passw0rd1 passw0rd123 passw0rd! p@ssword
p@ssword1 p@ssword123 p@ssw0rd p@ssw0rd1 p@ssw0rd123 p@ssw0rd! p@$$w0rd pa$$word pa$$w0rd pa55word pa55w0rd passpass
mypassword mypassword1 yourpassword thepassword thisispassword nopassword newpassword newpass123 oldpassword passwort
passwort1 motdepasse contraseña contrasena contrasenya senha123 senha1234 parola123 hasło123 haslo123 salasana
wachtwoord wachtwoord1 lösenord losenord kodeord1 12345678 123456789 1234567890 12345678910 123456789a 123456789q
0123456789 012345678 987654321 9876543210 87654321 876543210 11111111 111111111 1111111111 22222222 33333333 44444444
55555555 66666666 77777777 88888888 888888888 99999999 999999999 00000000 000000000 0000000000 01234567 12341234
12344321 123123123 1231231234 123321123 123654789 147258369 1472583690 159753159753 159357258 741852963 789456123
7894561230 789456123a 963852741 852456852 13579246 1357924680 135792468 246813579 24681012 11223344 1122334455
112233445566 11112222 12121212 1212121212 13131313 10101010 1010101010 20202020 21212121 23232323 69696969 12345687
12345679 12345678a 12345678q 1234qwer 1234asdf 1234abcd 123qweasd 123qweasdzxc 1q2w3e4r 1q2w3e4r5t 1q2w3e4r5t6y
1q2w3e4r! q1w2e3r4 q1w2e3r4t5 q1w2e3r4t5y6 1qaz2wsx 1qaz2wsx3edc 1qazxsw2 1qaz@wsx 1qaz!qaz !qaz2wsx zaq12wsx zaq1zaq1
zaq1xsw2 qazwsxedc qazwsx123 qazwsxedcrfv qwertyui qwertyuio qwertyuiop qwertyuiop123 qwertyuiop[] qwerty12 qwerty123
qwerty1234 qwerty12345 qwerty123456 qwerty123! qwerty1! qwerty01 qwerty11 qwertyqwerty qweasdzxc qweasdzxc123
qwe123qwe qweqweqwe qwer1234 qwer4321 qwert123 qwert1234 qwert12345 qwertz123 qwertzui qwertzuiop azertyui azertyuiop
azerty123 asdfasdf asdfghjk asdfghjkl asdfghjkl; asdf1234 asdfqwer asdasdasd asd123asd asdqwe123 asdfgh123 asdfg123
zxcvbnm1 zxcvbnm123 zxcvbnm, zxcvasdf zxczxczxc zxcv1234 aaaaaaaa aaaaaaaaa aaaaaaaaaa aaaa1111 aa123456 aa12345678
a1234567 a12345678 a123456789 a1b2c3d4 a1b2c3d4e5 abcd1234 abcd12345 abcdefgh abcdefghi abcdefghij abcdefg1 abcdefg123
abc12345 abc123456 abc123abc abcabc123 abcabcabc abcd4321 ab123456 ab12345678 bbbbbbbb cccccccc dddddddd ffffffff
gggggggg hhhhhhhh jjjjjjjj kkkkkkkk llllllll mmmmmmmm nnnnnnnn oooooooo pppppppp qqqqqqqq ssssssss wwwwwwww xxxxxxxx
yyyyyyyy zzzzzzzz zxcvbnmz asdfghjkl1 lkjhgfdsa poiuytre poiuytrewq mnbvcxza mnbvcxz1 0987654321 09876543 iloveyou
iloveyou1 iloveyou2 iloveyou! iloveyou3 iloveyou12 iloveyou123 iloveu123 iloveyou1! ilovegod ilovejesus ilovehim
iloveher iloveme1 iloveme2 ilovemyself ilovemom ilovemydog ilovedogs ilovecats ilovemusic ilovethis loveyou1 loveyou2
loveyou123 lovelove lovers123 loveme123 iloveyousomuch iloveyoubaby teamo123 teamomucho tequiero tequieromucho
mahalkita jetaime1 ichliebedich aishiteru sunshine sunshine1 sunshine12 sunshine123 sunshine! princess princess1
princess12 princess123 princesa princesa1 princesita football football1 football12 football123 baseball baseball1
basketball basketball1 softball softball1 volleyball hockey123 soccer12 soccer123 footballer liverpool liverpool1
liverpool123 manchester manutd123 manunited arsenal1 arsenal123 chelsea1 chelsea123 barcelona barcelona1 realmadrid
realmadrid1 juventus juventus1 ronaldo7 ronaldo123 cristiano messi123 yankees1 lakers24 cowboys1 steelers steelers1
packers1 redskins patriots raiders1 eagles123 newyork1 chicago1 superman superman1 superman123 batman123 spiderman
spiderman1 spiderman123 ironman123 wolverine starwars starwars1 startrek skywalker darthvader luke1234 pokemon1
pokemon123 pikachu1 pikachu123 naruto123 naruto12 dragonball dragonballz minecraft minecraft1 minecraft123 roblox123
fortnite fortnite1 fortnite123 playstation playstation2 playstation3 nintendo nintendo1 xbox3600 warcraft
worldofwarcraft starcraft counterstrike runescape runescape1 finalfantasy matrix123 godzilla gandalf1 hogwarts
harrypotter harrypotter1 lordoftherings hellokitty hellokitty1 mickeymouse minnie123 snoopy123 scoobydoo scooby123
garfield garfield1 simpsons bartman1 southpark jennifer jennifer1 michelle michelle1 jessica1 jessica123 ashley123
amanda123 samantha samantha1 elizabeth elizabeth1 victoria victoria1 stephanie stephanie1 christina christian
christian1 christopher nicholas nicholas1 nicole123 danielle danielle1 vanessa1 veronica patricia isabella isabella1
gabriela gabriel1 gabriel123 alexander alexander1 alexandra alexandre alejandro alejandra sebastian sebastian1
benjamin benjamin1 jonathan jonathan1 jordan23 jordan123 michael1 michael123 michaeljackson matthew1 matthew123
anthony1 anthony123 andrew123 joshua123 brandon1 brandon123 daniel12 daniel123 david123 robert123 william1 william123
richard1 thomas123 charlie1 charlie123 charles1 george123 carlos123 fernando fernanda francisco juan1234 martin123
maria123 natalia1 natasha1 nathalie valentina valentin valeria1 carolina caroline catherine katherine kimberly
kristina margaret marlboro marseille brittany brittany1 melissa1 melissa123 rebecca1 rebecca123 rachel123 chocolate
chocolate1 chocolate123 butterfly butterfly1 strawberry blueberry cherry123 banana123 orange123 pineapple cookie123
cookies1 cupcake1 buttercup peaches1 pepper123 snickers snickers1 cheese123 chicken1 chicken123 whatever whatever1
whatever123 trustno1 trustno1! letmein1 letmein12 letmein123 letmein! letmein123! letmeinnow letmein2 welcome1
welcome12 welcome123 welcome1234 welcome1! welcome123! welcome! welcome2 welcome01 welcome@123 welcome@1 welcomehome
monkey12 monkey123 monkey1234 monkeys1 monkeyman dragon12 dragon123 dragon1234 dragons1 master12 master123 master1234
masterkey shadow12 shadow123 shadow1234 michael2 mustang1 mustang123 corvette corvette1 mercedes mercedes1 porsche1
porsche911 ferrari1 ferrari123 lamborghini motorola motorcycle harleydavidson harley123 yamaha123 kawasaki suzuki123
hondacivic toyota123 chevrolet chevy123 computer computer1 computer123 internet internet1 internet123 samsung1
samsung123 samsung12 nokia123 iphone123 android1 android123 microsoft windows1 windows10 windows123 windowsxp linux123
ubuntu123 google123 googlegoogle facebook facebook1 facebook123 twitter1 instagram youtube1 youtube123 linkedin
linkedin1 linkedin123 yahoo123 yahoo.com gmail.com hotmail1 hotmail.com adobe123 photoshop administrator
administrator1 admin123 admin1234 admin12345 admin123456 admin123! admin@123 admin@1234 admin1admin adminadmin
admin2020 admin2021 admin2022 admin2023 admin2024 admin2025 admin2026 admin888 rootroot root1234 root12345 root123456
toor1234 superadmin superuser super123 super1234 supersecret topsecret secret12 secret123 secret1234 secret123!
secretsecret mysecret changeme changeme1 changeme! changeme12 changeme123 changeme123! changeit1 changethis default1
default123 guest123 guest1234 guestguest test1234 test12345 test123456 testtest testtest1 testing1 testing12
testing123 tester123 testpass testpassword testuser1 temp1234 temp12345 temppass temporary temporary1 user1234
user12345 useruser username username1 username123 login123 login1234 loginlogin service1 service123 support1
support123 helpdesk helpdesk1 manager1 manager123 director1 office123 company1 company123 sysadmin database oracle123
oracle12 postgres postgres1 postgres123 mysql123 mariadb1 mongodb1 redis123 elastic1 elasticsearch sqlserver p@55w0rd
demo1234 demo12345 demodemo sample123 example1 example123 public123 private1 private123 security security1 security123
access14 access123 access1234 hello123 hello1234 hello12345 hellohello helloworld helloworld1 hello!23 hallo123
hallo1234 halloween bonjour1 bonjour123 ciaociao ciao1234 hola1234 holahola buenosdias konnichiwa arigatou sayonara
sakura123 sakurasakura tokyo123 japan123 nihongo1 doraemon doraemon1 pikapika totoro123 onepiece onepiece1 zaqxswcde
zaqwsxcde asdfzxcv wertyuio blink182 blink1820 metallica metallica1 nirvana1 nirvana123 slipknot slipknot1 linkinpark
linkinpark1 greenday greenday1 eminem123 50cent50 ironmaiden acdcacdc beatles1 beatles123 rockstar rockstar1 rocknroll
guitar123 drummer1 musicman music123 jesus123 jesuschrist jesus1234 jesus777 godisgood godisgood1 godisgreat godislove
blessed1 blessed123 faith123 heaven123 angel123 angel1234 angels123 angelica angelina angeline1 lovely123 beautiful
beautiful1 gorgeous gorgeous1 precious precious1 sweetheart sweetheart1 sweetie1 sweetpea sweetness babygirl babygirl1
babygirl12 babygirl123 babyboy1 babyboy123 baby1234 babybaby bubbles1 bubbles123 bubblegum daddysgirl mommy123
mother123 father123 brother1 sister123 family123 familyfirst friends1 friends123 friendship bestfriend bestfriends
forever1 forever21 forever123 together together1 freedom1 freedom123 liberty1 america1 american1 mexico123 brazil123
brasil123 canada123 london123 england1 england123 germany1 deutschland france123 italia123 espana123 russia123
australia california california1 newzealand argentina argentina1 colombia colombia1 venezuela portugal portugal1
singapore indonesia indonesia1 philippines pakistan pakistan1 pakistan123 india123 india1234 bangladesh summer12
summer123 summer1! summer01 winter12 winter123 winter1! spring123 spring1! autumn123 autumn1! january1 february
september september1 november november1 december december1 october1 october123 monday123 friday13 friday123 sunday123
saturday december12 august123 july2000 june2000 april123 march2000 birthday birthday1 christmas christmas1
christmas123 newyear1 happy123 happy1234 happyday happydays happiness happyhappy smile123 smiley123 sunflower
sunflower1 sunshine2 rainbow1 rainbow123 flower123 flowers1 flowers123 butterfly2 dolphin1 dolphin123 dolphins
dolphins1 elephant elephant1 tiger123 tigger12 tigger123 kitten123 kittycat kittycat1 puppy123 puppies1 doggie123
horses123 horse123 unicorn1 unicorn123 penguin1 penguin123 panther1 panthers mustangs bulldogs bulldog1 wildcats
wildcat1 buster123 bailey123 maggie123 cooper123 lucky123 lucky777 lucky1234 diamond1 diamond123 diamonds goldfish
golden123 silver123 platinum crystal1 crystal123 emerald1 sapphire purple123 yellow123 green123 blue1234 bluesky1
blackcat redred123 black123 white123 blackberry blackjack maverick maverick1 gangster gangsta1 thunder1 thunder123
lightning hurricane tornado1 phoenix1 phoenix123 warrior1 warrior123 predator terminator terminator1 assassin
assassin1 killer12 killer123 killer1234 hunter12 hunter123 hunter2hunter ranger123 soldier1 marines1 military
airforce1 airborne1 navyseal police123 fireman1 firefighter letmeplease openup123 opensesame opensesame1 abracadabra
sesame123 icecream icecream1 pizza123 coffee123 cocacola cocacola1 pepsi123 budweiser heineken heineken1 whiskey1
tequila1 champion champion1 winner123 winning1 money123 money1234 moneymoney cash1234 dollar123 million1 millionaire
business business1 marketing1 sales123 student1 student123 teacher1 teacher123 school123 college1 university graduate1
class2020 class2021 class2022 class2023 class2024 class2025 fuckyou1 fuckyou2 fuckyou! fuckyou12 fuckyou123 fuckyou1!
fuckoff1 fuckoff123 fuckthis1 fuckfuck bitch123 bitches1 asshole1 asshole123 bullshit bullshit1 shithead sexysexy
sexy1234 sexygirl sexylady sexything pussy123 pussycat blowjob1 bigdick1 hardcore playboy1 playboy123 number1!
number12 nothing1 nothing123 anything1 something something1 everything idontknow idontcare idontknow1 dontknow
whoknows qwerasdf qwerasdfzxcv qwe12345 qwe123456 1234567q 1234567a 123456aa 123456ab 123456abc 123456qwe 123456asd
123456zx 12345qwe 12345qwert 12345abc 12345asd 123abc123 123abcdef 111222333 1112223334 111222tianya 123qwe123
123qwe456 5201314520 52013145 woaini520 woaini1314 woaini123 woaiwojia woainima wo123456 qq123456 qq123123 q123456789
q12345678 w123456789 z123456789 x123456789 s123456789 l123456789 zz123456 zxc123456 asd123456 asd12345 qaz123456
qwe123qwe1 zxcvbnm12 1234554321 123454321 0147258369 147852369 14789632 1478963250 159951159 142536475869 19841984
19851985 19861986 19871987 19881988 19891989 19901990 19911991 19921992 19931993 19941994 19951995 20002000 20012001
20102010 20112011 20122012 20202020a 12345600 12301230 12345670 98765432 99887766 9988776655 55667788 55555555a
sekisho1 sekisho123 sekisho1234 sekishosekisho letmeinsekisho password2018 password2018! password2019 password2019!
password2020 password2020! password2021 password2021! password2022 password2022! password2023 password2023!
password2024 password2024! password2025 password2025! password2026 password2026! welcome2018 welcome2018! welcome2019
welcome2019! welcome2020 welcome2020! welcome2021 welcome2021! welcome2022 welcome2022! welcome2023 welcome2023!
welcome2024 welcome2024! welcome2025 welcome2025! welcome2026 welcome2026! qwerty2018 qwerty2018! qwerty2019
qwerty2019! qwerty2020 qwerty2020! qwerty2021 qwerty2021! qwerty2022 qwerty2022! qwerty2023 qwerty2023! qwerty2024
qwerty2024! qwerty2025 qwerty2025! qwerty2026 qwerty2026! summer2018 summer2018! summer2019 summer2019! summer2020
summer2020! summer2021 summer2021! summer2022 summer2022! summer2023 summer2023! summer2024 summer2024! summer2025
summer2025! summer2026 summer2026! winter2018 winter2018! winter2019 winter2019! winter2020 winter2020! winter2021
winter2021! winter2022 winter2022! winter2023 winter2023! winter2024 winter2024! winter2025 winter2025! winter2026
winter2026! spring2018 spring2018! spring2019 spring2019! spring2020 spring2020! spring2021 spring2021! spring2022
spring2022! spring2023 spring2023! spring2024 spring2024! spring2025 spring2025! spring2026 spring2026! autumn2018
autumn2018! autumn2019 autumn2019! autumn2020 autumn2020! autumn2021 autumn2021! autumn2022 autumn2022! autumn2023
autumn2023! autumn2024 autumn2024! autumn2025 autumn2025! autumn2026 autumn2026! january2018 january2018! january2019
january2019! january2020 january2020! january2021 january2021! january2022 january2022! january2023 january2023!
january2024 january2024! january2025 january2025! january2026 january2026! february2018 february2018! february2019
february2019! february2020 february2020! february2021 february2021! february2022 february2022! february2023
february2023! february2024 february2024! february2025 february2025! february2026 february2026! march2018 march2018!
march2019 march2019! march2020 march2020! march2021 march2021! march2022 march2022! march2023 march2023! march2024
march2024! march2025 march2025! march2026 march2026! april2018 april2018! april2019 april2019! april2020 april2020!
april2021 april2021! april2022 april2022! april2023 april2023! april2024 april2024! april2025 april2025! april2026
april2026! june2018 june2018! june2019 june2019! june2020 june2020! june2021 june2021! june2022 june2022! june2023
june2023! june2024 june2024! june2025 june2025! june2026 june2026! july2018 july2018! july2019 july2019! july2020
july2020! july2021 july2021! july2022 july2022! july2023 july2023! july2024 july2024! july2025 july2025! july2026
july2026! august2018 august2018! august2019 august2019! august2020 august2020! august2021 august2021! august2022
august2022! august2023 august2023! august2024 august2024! august2025 august2025! august2026 august2026! september2018
september2018! september2019 september2019! september2020 september2020! september2021 september2021! september2022
september2022! september2023 september2023! september2024 september2024! september2025 september2025! september2026
september2026! october2018 october2018! october2019 october2019! october2020 october2020! october2021 october2021!
october2022 october2022! october2023 october2023! october2024 october2024! october2025 october2025! october2026
october2026! november2018 november2018! november2019 november2019! november2020 november2020! november2021
november2021! november2022 november2022! november2023 november2023! november2024 november2024! november2025
november2025! november2026 november2026! december2018 december2018! december2019 december2019! december2020
december2020! december2021 december2021! december2022 december2022! december2023 december2023! december2024
december2024! december2025 december2025! december2026 december2026! monday2018 monday2018! monday2019 monday2019!
monday2020 monday2020! monday2021 monday2021! monday2022 monday2022! monday2023 monday2023! monday2024 monday2024!
monday2025 monday2025! monday2026 monday2026! friday2018 friday2018! friday2019 friday2019! friday2020 friday2020!
friday2021 friday2021! friday2022 friday2022! friday2023 friday2023! friday2024 friday2024! friday2025 friday2025!
friday2026 friday2026! admin2018 admin2018! admin2019 admin2019! admin2020! admin2021! admin2022! admin2023!
admin2024! admin2025! admin2026! company2018 company2018! company2019 company2019! company2020 company2020!
company2021 company2021! company2022 company2022! company2023 company2023! company2024 company2024! company2025
company2025! company2026 company2026! secret2018 secret2018! secret2019 secret2019! secret2020 secret2020! secret2021
secret2021! secret2022 secret2022! secret2023 secret2023! secret2024 secret2024! secret2025 secret2025! secret2026
secret2026! sekisho2018 sekisho2018! sekisho2019 sekisho2019! sekisho2020 sekisho2020! sekisho2021 sekisho2021!
sekisho2022 sekisho2022! sekisho2023 sekisho2023! sekisho2024 sekisho2024! sekisho2025 sekisho2025! sekisho2026
sekisho2026! summer@2022 summer@2023 summer@2024 summer@2025 summer@2026 winter@2022 winter@2023 winter@2024
winter@2025 winter@2026 spring@2022 spring@2023 spring@2024 spring@2025 spring@2026 autumn@2022 autumn@2023
autumn@2024 autumn@2025 autumn@2026 password@2022 password@2023 password@2024 password@2025 password@2026 welcome@2022
welcome@2023 welcome@2024 welcome@2025 welcome@2026 admin@2022 admin@2023 admin@2024 admin@2025 admin@2026 qwerty@2022
qwerty@2023 qwerty@2024 qwerty@2025 qwerty@2026 letmein@2022 letmein@2023 letmein@2024 letmein@2025 letmein@2026
`;

let common: ReadonlySet<string> | undefined;

/** Whether a password is one of the commonest, as typed or in any spelling of its letters. */
export function isCommonPassword(password: string): boolean {
  common ??= new Set(words.trim().split(/\s+/).map(foldCase));
  return common.has(foldCase(password.trim()));
}
