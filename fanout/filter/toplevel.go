package filter

import "strings"

// Without a scheme, a host is a link only if its last label is a top-level domain
// that is in use: else "end.Now" would be one. The countries' are all here, of the
// others those that are written out much; behind "https://" any will do.

const countryDomains = "ac ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bl bm bn bo bq br bs bt bv bw by bz " +
	"ca cc cd cf cg ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg eh er es et eu fi fj fk fm fo fr " +
	"ga gb gd ge gf gg gh gi gl gm gn gp gq gr gs gt gu gw gy hk hm hn hr ht hu id ie il im in io iq ir is it je jm jo jp " +
	"ke kg kh ki km kn kp kr kw ky kz la lb lc li lk lr ls lt lu lv ly ma mc md me mf mg mh mk ml mm mn mo mp mq mr ms mt mu mv mw mx my mz " +
	"na nc ne nf ng ni nl no np nr nu nz om pa pe pf pg ph pk pl pm pn pr ps pt pw py qa re ro rs ru rw " +
	"sa sb sc sd se sg sh si sj sk sl sm sn so sr ss st su sv sx sy sz tc td tf tg th tj tk tl tm tn to tr tt tv tw tz " +
	"ua ug uk um us uy uz va vc ve vg vi vn vu wf ws ye yt za zm zw"

const genericDomains = "aero agency app art asia audio beer bike bio biz blog blue business buzz cafe camera camp cat center chat church city click cloud club coffee com community company computer cool coop " +
	"design dev digital earth edu education email energy events example expert express farm fashion film finance fit football fun fund fyi gallery game games garden global gmbh gov green group guide guru " +
	"health help host house info ink institute int international jobs kim kitchen land law legal life lighting link live lol london love ltd market marketing media menu mil mobi moe museum music " +
	"name net network news ninja one online org page paris party photo photography photos pics pictures pink plus press pro productions pub red report rest review reviews rocks run " +
	"school science services sexy shop show site social software solutions space store studio style support surf systems tech technology tel theater tips today tokyo tools top tours town toys trade training travel " +
	"tube university vip video vision website wedding wiki win wine work works world wtf xyz yoga zone"

const foreignDomains = "みんな 中国 中國 香港 台湾 台灣 新加坡 澳門 澳门 网络 公司 网站 在线 한국 닷컴 рф укр бел бг мкд срб қаз мон орг сайт онлайн москва ελ ευ հայ გე " +
	"ישראל السعودية مصر امارات ایران پاکستان الاردن المغرب تونس قطر فلسطين عمان سورية سودان الجزائر عراق اليمن مليسيا بھارت भारत ভারত বাংলা ਭਾਰਤ ભારત ଭାରତ భారత్ ಭಾರತ ഭാരതം ไทย ලංකා இலங்கை இந்தியா சிங்கப்பூர்"

var (
	topLevels        = wordSet(countryDomains + " " + genericDomains)
	foreignTopLevels = strings.Fields(foreignDomains)
)

func wordSet(words string) map[string]bool {
	set := map[string]bool{}
	for word := range strings.FieldsSeq(words) {
		set[word] = true
	}
	return set
}

// knownTopLevel reports whether a folded label is a top-level domain.
func knownTopLevel(label []byte) bool {
	return topLevels[string(label)] || len(label) > 4 && string(label[:4]) == "xn--"
}

// foreignTopLevel returns the length of the longest top-level domain beyond ASCII
// that s begins with; letters of scripts without spaces may follow it.
func foreignTopLevel(s []byte) (longest int) {
	for _, d := range foreignTopLevels {
		if len(d) > longest && len(d) <= len(s) && string(s[:len(d)]) == d {
			longest = len(d)
		}
	}
	return longest
}
