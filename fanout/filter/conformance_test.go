package filter

import (
	"slices"
	"testing"
)

// What a text holds of entities where the source does not say: the cases of the
// open twitter-text library, each kind of case once or more, in our own words.
func TestEntitiesOfText(t *testing.T) {
	for _, group := range []struct {
		sign  byte
		cases [][]string // a text, and the names in it
	}{
		{'@', [][]string{
			{"@gull hello", "gull"}, {"hello @gull", "gull"}, {"hello @gull there", "gull"},
			{"to @gull_watch", "gull_watch"}, {"to @12345", "12345"}, {"@gull @kestrel", "gull", "kestrel"},
			{"@gull\n@kestrel", "gull", "kestrel"}, {"＠gull", "gull"}, {"(@gull), .@kestrel:", "gull", "kestrel"},
			{"港で@gullに会う", "gull"}, {"@gull🔭", "gull"},
			{"RT@gull RT:@kestrel rt @tern", "gull", "kestrel", "tern"}, {"start@gull"}, {"a.rt@gull"},
			{"a @_@ face, said @gull", "gull"},
			{"mail gull@dome.example"}, {"@gull@dome.example"}, {"@gullèro"}, {"@gulle\u0301ro"}, {"@http://dome.example"},
			{"w!@gull"}, {"w@@gull"}, {"w#@gull"}, {"w$@gull"}, {"w%@gull"}, {"w&@gull"}, {"w*@gull"},
			{"@gull/team-one is a list"}, {"@gull/7 is not", "gull"}, {"@gull/@kestrel", "gull", "kestrel"},
			{"@a_name_of_more_than_twenty_letters"}, {"cut off: @gul…"}, {"@ gull"}, {"@"}, {"see dome.example/@gull"},
		}},
		{'#', [][]string{
			{"a #dome here", "dome"}, {"#dome", "dome"}, {"the #dome2", "dome2"}, {"#2dome", "2dome"}, {"＃dome", "dome"},
			{"bus #16"}, {"#0"}, {"#_"}, {"#1_2"}, {"#"}, {"# dome"}, {"#〃"},
			{"(#a1 )#a2 [#a3 ]#a4 ’#a5’#a6", "a1", "a2", "a3", "a4", "a5", "a6"},
			{"#dome: #gull; #tern, #kite. #lark! #wren?", "dome", "gull", "tern", "kite", "lark", "wren"},
			{":#dome ;#gull ,#tern .#kite !#lark ?#wren", "dome", "gull", "tern", "kite", "lark", "wren"},
			{"#dome\nand\n#gull", "dome", "gull"}, {"✌#dome ✌️#gull ✌🏿#tern 👨‍👩‍👧#kite", "dome", "gull", "tern", "kite"},
			{"#️⃣ #⃣"}, {"#mañana #münchen #Çay #ışık #İn", "mañana", "münchen", "çay", "ışık", "in"},
			{"#обсерватория #παρατήρηση #աստղ #ცა", "обсерватория", "παρατήρηση", "աստղ", "ცა"},
			{"#천문대 #天文台 #カメラ #ｶﾒﾗ #ひかり", "천문대", "天文台", "カメラ", "ｶﾒﾗ", "ひかり"},
			{"古い天文台。#再開 開いた！＃星。", "再開", "星"}, {"天文台#天文台"},
			{"#人々 #いすゞ #メ～タ #メ〜タ", "人々", "いすゞ", "メ～タ", "メ〜タ"},
			{"#السماء #رصد_نجوم #می‌رود #۳ستاره #١٢", "السماء", "رصد_نجوم", "می‌رود", "۳ستاره"},
			{"#כוכב #צה״ל #על־פי", "כוכב", "צה״ל", "על־פי"},
			{"#आकाश #आकाश_१२ #१२", "आकाश", "आकाश_१२"}, {"#ท้องฟ้า #ආකාශය #ශ්‍රී", "ท้องฟ้า", "ආකාශය", "ශ්‍රී"},
			{"#গগন #நட்சத்திரம் #ਤਾਰਾ #མཁའ་", "গগন", "நட்சத்திரம்", "ਤਾਰਾ", "མཁའ་"}, {"#មេឃ #ကောင်း #ຟ້າ #ሰማይ", "មេឃ", "ကောင်း", "ຟ້າ", "ሰማይ"},
			{"#cel·la", "cel·la"}, {"#\U00020021 #A\U000104a0", "\U00020021", "a\U000104a0"},
			{"#http://dome.example #https://dome.example"}, {"http://dome.org/#gull dome.org/#gull"}, {"#a#b"}, {"x&#dome"},
			{"#golang's", "golang"}, {"cut off: #gol…"},
		}},
		{'$', [][]string{
			{"own $GULL $Tern   $kite", "gull", "tern", "kite"}, {"own $GULL.A $tern.xx $Kite_B", "gull.a", "tern.xx", "kite_b"},
			{"$123 $gull1 $GU1LL"}, {"$カモメ $株 $gullé"}, {"$ $. $- $@ $! $() $+ $"}, {"$GULL. $TERN_ $KITE, $LARK!", "gull", "tern", "kite", "lark"},
			{"$GULL.abc", "gull"}, {"$A$B$C x$GULL .$TERN $$KITE", "a"}, {"$gullwatch"}, {"only $5.99"}, {"＄GULL", "gull"}, {"\u2066$GULL\u2069", "gull"},
		}},
	} {
		for _, c := range group.cases {
			got := entitiesOf(c[0], group.sign)
			slices.Sort(got)
			want := slices.Clone(c[1:])
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("%q holds %q of %q, want %q", c[0], got, group.sign, want)
			}
		}
	}
}

// The links that are written out in a text, by the same rules. One that is part
// of another is not named once more.
func TestLinksOfText(t *testing.T) {
	for _, c := range [][]string{
		{"http://dome.org", "http://dome.org"}, {"at https://Dome.org/Tickets now", "https://dome.org/tickets"}, {"http://dome.org/#", "http://dome.org/#"},
		{"http://dome.org/#!/a?b=c%20d", "http://dome.org/#!/a?b=c%20d"}, {"http://dome.org/a.php?p=/b/c/", "http://dome.org/a.php?p=/b/c/"},
		{"http://dome.org:3000/a", "http://dome.org:3000/a"}, {"http://dome.org/~a+%ff-,.;x", "http://dome.org/~a+%ff-,.;x"}, {"http://d.com/x", "http://d.com/x"},
		{"http://dome.org/Owl_(bird)", "http://dome.org/owl_(bird)"}, {"(http://dome.org/Owl_(bird))", "http://dome.org/owl_(bird)"}, {"http://dome.org/f(v=A.1).x", "http://dome.org/f(v=a.1).x"},
		{"http://dome.org/a(b", "http://dome.org/a"}, {"http://dome.org/((a(b)))", "http://dome.org/"},
		{"http://dome.org?a=b", "http://dome.org?a=b"}, {"http://dome.org/? yes", "http://dome.org/"}, {"http://dome.org?#a", "http://dome.org?#a"},
		{"http://dome.org. http://gull.org, http://tern.org! http://kite.org?", "http://dome.org", "http://gull.org", "http://tern.org", "http://kite.org"},
		{"http://dome.org/a..... http://gull.org/,,,, http://tern.org/a/!!!", "http://dome.org/a", "http://gull.org/", "http://tern.org/a/"},
		{"http://dome.org/a+ http://dome.org/b- http://dome.org/c–d", "http://dome.org/a+", "http://dome.org/b-", "http://dome.org/c–d"},
		{"http://dome.org/a./b.1?c=d;e=f|0", "http://dome.org/a./b.1?c=d;e=f|0"}, {"http://dome.org/слово_1", "http://dome.org/слово_1"},
		{"http://✪ab.ws/a http://ああ.com http://あ-あ.com", "http://✪ab.ws/a", "http://ああ.com", "http://あ-あ.com"}, {"http://xn--ls8h.la/", "http://xn--ls8h.la/"},
		{"https://dome.example/a https://dome.photographer", "https://dome.example/a", "https://dome.photographer"},
		{"http://dome http://dome.x http://-a.dome.org http://a.-dome.org http://a-.dome.org http://dome-.org"},
		{"http://_a.dome.org http://a_.dome.org http://do_me.org http://dome.o_r_g http://dome.org-and-more http://xn--ああ.com/a"},
		{"http://a_b.dome.org http://a-b.dome.org", "http://a_b.dome.org", "http://a-b.dome.org"},
		// without a scheme
		{"dome.org gull.com/a www.tern.co.uk owl.jp", "dome.org", "gull.com/a", "www.tern.co.uk", "owl.jp"}, {"DOMÉ.com", "domé.com"},
		{"dome.baz dome.comm end.Now e.g. p.m. 17.30 a.tar.bz2 U.S. wait...what"}, {"http:// dome.org/a", "dome.org/a"},
		{"dome.orgです。gull.com港t.co/abc", "dome.org", "gull.com", "t.co/abc"}, {"http://dome.orgだよ", "http://dome.org"}, {"鳥http://dome.org/a", "http://dome.org/a"},
		{"dome.みんな http://gull.中国/a", "dome.みんな", "http://gull.中国/a"}, {"\u2066\u202adome.org\u202c\u2069 پایان", "dome.org"},
		{"gull@dome.org a.b-c@dome.org a.b+c@dome.org gull.gov@dome.org"}, {"#dome.org @dome.org $dome.org #http://dome.org @http://dome.org $http://dome.org"},
		{"http://dome.org\ngull.org", "http://dome.org", "gull.org"}, {"dome.org dome.org", "dome.org"}, {"http://dome.org/a dome.org", "http://dome.org/a"},
		{"http://dome.org/?r=https://gull.org/a", "http://dome.org/?r=https://gull.org/a"},
		// t.co
		{"https://t.co/aB3's https://t.co/cD4; https://t.co/eF5.x", "https://t.co/ab3", "https://t.co/cd4", "https://t.co/ef5"}, {"https://t.co/aB3?amp=1", "https://t.co/ab3?amp=1"},
		{"https://t.co/abcdefghijklmnopqrstuvwxyz0123456789abcdefg"},
	} {
		if got := linksOf(c[0]); !slices.Equal(got, c[1:]) {
			t.Errorf("%q holds %q, want %q", c[0], got, c[1:])
		}
	}
}
