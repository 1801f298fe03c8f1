# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Expressions, one by one: each is printed for the same context. See make-template-cases.
CONTEXT = {"s": "Hello, wörld", "e": "", "n": 7, "z": 0, "f": 2.5, "t": True, "no": None, "l": [3, 1, 2], "el": [], "d": {"a": 1, "b": {"c": [1, {"x": "y"}]}},
           "ms": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "Ho"}, {"role": "user", "content": "x", "k": 1}],
           "words": ["b", "A", "c", "a"], "big": 18446744073709551615, "neg": -7, "items_dict": {"items": 3, "keys": [1]},
           "text": "  a b  c \n", "lines": "one\ntwo\r\nthree\x0bfour\u2028five\n\nsix", "html": "<b>\"x\" & 'y'</b>", "u": "ßŞ ΑΣ ΑΣ. ǅ ﬁ 狐 😀"}
EXPRESSIONS = r"""
1 + 2 * 3
(1 + 2) * 3
2 ** 3 ** 2
-2 ** 2
2 ** -1
7 // 2
-7 // 2
7 // -2
-7 % 3
7 % -3
7.5 // 2
-7.5 // 2
-7.5 % 2
7.5 % -2
0.0 % -2
6 / 3
1 / 3
1e100 * 10
0.1 + 0.2
1e16
1e15
123456789012345678
1e-5
0.0001
5e-324
1.7976931348623157e308
1_000_000
0x_ff
0b101
0o17
1_0.5_0e1_0
007
1.
1 / 0
1 // 0
1 % 0
1.0 / 0
10 ** 30
-10 ** 30
18446744073709551616 * 3
big
big + 1
neg
-neg
+neg
+t
-t
t + t
t * 3
t / 2
not t
not not t
not e
not el
n - 10
n - "a"
n + "a"
"a" + n
"a" ~ n ~ none ~ true ~ 1.0 ~ [1, "b"] ~ missing
"a" * 3
3 * "ab"
"a" * -1
"a" * 2.0
[1] * 3
2 * (1, 2)
[1] + [2]
(1,) + (2,)
[1] + (2,)
"ab" "cd" 'ef'
"a\nb\tc\\d\"e\'f\x41\u00e9\U0001F600\101\a\q"
'\é'
"\
x"
1 < 2 < 3
1 < 3 < 2
3 > 2 >= 2 == 2 != 3
1 == 1.0
1 == true
"a" == "a"
"a" < "b"
"a" < 1
none < 1
[1, 2] < [1, 3]
[1] < [1, 0]
(1, 2) == (1, 2)
(1, 2) == [1, 2]
d == {"a": 1, "b": {"c": [1, {"x": "y"}]}}
missing == missing
missing == none
missing != 1
missing < 1
1 < missing
"H" in s
"h" in s
1 in s
none in s
missing in s
"x" in missing
3 in l
9 in l
9 not in l
"a" in d
"z" in d
[1] in d
1 in n
1 in none
true in [1]
1.0 in [1]
"a" in ("a", "b")
t and e
t or e
e or l
e and l
z or none
n if t else e
n if e else s
n if e
(n if e) is defined
n if e else s if z else f
1 if t else 2 if t else 3
d.a
d["a"]
d.b.c[1].x
d.zz
d.zz.y
d["zz"]
d["b"]["c"][0]
d.items
d.items()
d.items()|list
d.keys()
d.values()|list
d.keys()|list
d.get("a")
d.get("q")
d.get("q", 5)
d.get("a", 5)
d.get()
d.get("q", default=1)
items_dict.items
items_dict["items"]
items_dict.keys
items_dict.get("items")
d.copy()
d.pop("a")
d.pop
d.update({"x": 1})
d.clear
d["clear"]
d["get"]("a")
d.__class__
s.__class__
"".__class__.__mro__
s._x
l.append(1)
l.append
l[0]
l[-1]
l[5]
l["a"]
l[-5]
l[1.0]
l[true]
l.0
l[1:]
l[:-1]
l[::-1]
l[::2]
l[5:]
l[-2:]
l[:0]
l[2:0:-1]
l[::0]
l[none:none]
l["a":]
s[0]
s[-1]
s[7:9]
s[::-1]
s[100:]
s[1:-1:2]
s[:5]
s[-3:]
u[::-1]
u[1]
none[0]
none.x
n[0]
n.x
missing.x
missing[0]
missing[:1]
missing()
missing.x.y
missing
missing ~ "x"
missing + 1
1 + missing
"a" + missing
missing + "a"
missing|length
missing|list
missing|default("d")
missing|d
e|default("d")
e|default("d", true)
no|default("d")
no|default("d", boolean=true)
missing|upper
missing|trim
missing|join(",")
missing|first
missing|last
missing|tojson
missing|int
missing|float
missing|abs
missing|round
missing|sum
missing|string
missing|replace("a", "b")
missing|items|list
missing|map("upper")|list
missing|selectattr("x")|list
missing|dictsort
missing|reverse|list
missing|sort
missing|unique|list
missing|batch(2)|list
missing|length == 0
missing is defined
missing is undefined
missing is none
missing is string
missing is iterable
missing is sequence
missing is mapping
missing is callable
missing is odd
d.zz is defined
d.a is defined
d.zz.y is defined
no is none
no is defined
t is boolean
n is boolean
t is true
t is false
n is true
n is integer
t is integer
f is float
n is float
t is number
n is number
s is number
s is string
l is string
s is sequence
l is sequence
d is sequence
n is sequence
d.items() is sequence
d.keys() is iterable
n is iterable
no is iterable
s is iterable
range(3) is sequence
range(3) is iterable
d is mapping
l is mapping
namespace() is mapping
n is odd
n is even
z is even
f is odd
s is odd
no is odd
n is divisibleby 7
n is divisibleby(2)
n is divisibleby 0
n is eq 7
n is equalto(7)
n is ne 7
n is gt 3
n is greaterthan 3
n is ge 7
n is lt 3
n is lessthan 3
n is le 7
n is sameas n
no is sameas none
t is sameas true
1 is sameas true
l is sameas l
l is sameas [3, 1, 2]
n is in [1, 7]
n is in l
"a" is in d
s is in n
"abc" is lower
"aBc" is lower
"ABC" is upper
"1" is upper
n is lower
none is lower
true is upper
"upper" is filter
"nope" is filter
n is filter
"odd" is test
"nope" is test
s is callable
range is callable
d.items is callable
s is escaped
s|safe is escaped
n is not odd
n is not none and t
not n is odd
n is odd and t is true or e
n is divisibleby 7 and t
1 + n is odd
n is foo
s is defined is true
s|upper
s|lower
s|capitalize
s|title
"hello-world (foo) [bar] {baz} <qux> it's"|title
u|upper
u|lower
u|title
u|capitalize
u.title()
u.swapcase()
u.casefold()
u|length
s|length
l|length
l|count
d|length
n|length
none|length
none|upper
n|upper
true|lower
l|first
el|first
s|first
d|first
l|last
el|last
s|last
d|last
d.items()|last
l|map("string")|last
l|sort
l|sort(reverse=true)
l|sort(true)
words|sort
words|sort(case_sensitive=true)
words|sort(attribute=0)
ms|sort(attribute="role")
ms|sort(attribute="role,content")
ms|sort(attribute="role", reverse=true)|map(attribute="content")|list
ms|sort(attribute="k")
[1, "a"]|sort
[none, 1]|sort
[[2, 1], [1, 2]]|sort
l|min
l|max
el|min
words|min
words|max
words|max(case_sensitive=true)
ms|max(attribute="content")
l|sum
el|sum
ms|sum(attribute="k")
[{"k": 1}, {"k": 2.5}]|sum(attribute="k")
[[1], [2]]|sum(start=[])
["a"]|sum
["a"]|sum(start="")
l|reverse
l|reverse|list
s|reverse
d|reverse|list
n|reverse
l|join
l|join(", ")
l|join(1)
["a", none, 1.5, true]|join("-")
ms|join(",", attribute="role")
n|join
s|join("-")
d|join(",")
l|list
s|list
d|list
n|list
none|list
l|unique|list
[1, 1.0, true, "a", "A"]|unique|list
["a", "A"]|unique(case_sensitive=true)|list
ms|unique(attribute="role")|map(attribute="content")|list
[[1]]|unique|list
l|batch(2)|list
l|batch(2, "x")|list
l|batch(0)|list
l|slice(2)|list
l|slice(2, "x")|list
l|slice(0)|list
l|slice(5)|list
l|map("string")|list
l|map("nope")|list
l|map("default", 1)|list
l|map
l|map|list
l|map("upper")|join
words|map("upper")|join
ms|map(attribute="role")|list
ms|map(attribute="k")|list
ms|map(attribute="k", default=0)|list
ms|map(attribute="k", foo=0)|list
ms|map("attr", "role")|list
el|map("nope")|list
[[1, 2], [3]]|map("sum")|list
[[1, 2], [3]]|map("join", "-")|list
[[1, 2], [3]]|map(attribute=0)|list
[{"a": {"b": 5}}]|map(attribute="a.b")|list
[{"a": [7, 8]}]|map(attribute="a.1")|list
l|select|list
[0, 1, "", "a"]|select|list
[0, 1, "", "a"]|reject|list
l|select("odd")|list
l|select(">", 1)|list
l|select("in", [1, 2])|list
l|reject("odd")|list
l|select("nope")|list
el|select("nope")|list
l|select(foo=1)|list
ms|selectattr("role", "equalto", "user")|list
ms|selectattr("role", "==", "user")|map(attribute="content")|list
ms|selectattr("k")|list
ms|selectattr("k", "defined")|list
ms|rejectattr("k")|list
ms|rejectattr("role", "in", ["user"])|list
ms|selectattr()|list
ms|selectattr("role", "equalto", "zz")|first
ms|selectattr("role", "equalto", "zz")|first is defined
(ms|selectattr("role", "equalto", "zz")|list)|length
ms|selectattr("role", "equalto", "zz")|length
(ms|selectattr("role", "equalto", "zz")) and "always true"
ms|groupby("role")|list
ms|groupby("role")|map(attribute="list")|map("length")|list
(ms|groupby("role"))[0].grouper
(ms|groupby("role"))[0].list|length
(ms|groupby("role"))[0]
ms|groupby("k")
ms|groupby("k", default=0)|map("first")|list
words|groupby(0)|list
d|dictsort
{"b": 1, "A": 2, "c": 0}|dictsort
{"b": 1, "A": 2, "c": 0}|dictsort(true)
{"b": 1, "A": 2, "c": 0}|dictsort(by="value")
{"b": 1, "A": 2, "c": 0}|dictsort(false, "value", true)
{"b": 1}|dictsort(by="nope")
l|dictsort
d|items
d|items|list
l|items
l|items|list
d|attr("a")
d|attr("items")
s|attr("upper")
s|attr("__class__")
d|tojson
d|tojson(indent=2)
d|tojson(indent=0)
d|tojson(indent="--")
el|tojson(indent=2)
{}|tojson(indent=2)
d|tojson(separators=(",", ":"))
d|tojson(indent=4, separators=(",", ": "))
{"b": 1, "a": [2]}|tojson(sort_keys=true)
{1: "a", none: "b", true: "c", 1.5: "d"}|tojson
{(1, 2): 3}|tojson
s|tojson
s|tojson(ensure_ascii=true)
u|tojson(true)
html|tojson
"\x00\x1f\x7f\u2028\"\\/\b\f\n\r\t"|tojson
none|tojson
t|tojson
f|tojson
1e100|tojson
1e16|tojson
(1, 2)|tojson
range(3)|tojson
d.keys()|tojson
[missing]|tojson
d|tojson(2)
d|tojson(foo=1)
big|tojson
"5"|int
"5.7"|int
" 5 "|int
"x"|int
"x"|int(-1)
"x"|int(default=3)
"0x1f"|int(base=16)
"1f"|int(0, 16)
"0b11"|int(0, 0)
"1_000"|int
"1__0"|int
""|int
none|int
l|int
5.9|int
-5.9|int
true|int
"١٢"|int
"1e3"|int
"inf"|int
"nan"|int(7)
"5"|float
"5.25"|float
"x"|float
"x"|float(1.5)
none|float
"1e3"|float
"inf"|float
" 1_0.5 "|float
5|float
-5|abs
-5.5|abs
true|abs
s|abs
2.5|round
3.5|round
2.675|round(2)
-2.5|round
1234.5678|round(-2)
1234|round(-2)
1250|round(-2)
1350|round(-2)
5|round
5|round(2)
2.1|round(0, "ceil")
2.9|round(method="floor")
2.123|round(2, "ceil")
2.129|round(2, "floor")
5|round(0, "floor")
2.5|round(0, "nope")
true|round
s|round
text|trim
text|trim("a \n")
"xxaxx"|trim("x")
n|trim
text|string
n|string
none|string
[1, "a"]|string
s|replace("l", "L")
s|replace("l", "L", 1)
s|replace("", "-")
n|replace(7, 8)
s|replace("l")
html|e
html|escape
html|forceescape
html|safe
html|e|e
html|e|forceescape
html|safe|e
(html|e) + "<"
"<" + (html|e)
(html|e) ~ "<"
(html|safe) ~ "<"
(html|safe) + "<"
(html|safe) * 2
("%s <"|safe) % "<"
"%s <" % ("<"|safe)
("<"|e).upper()
("<"|safe).join(["<", "a"])
["<"|safe, "<"]|join("<")
("a<b"|safe).replace("b", "<")
("a<b"|safe).split("<")
("a<b"|safe)[1]
("{} <"|safe).format("<")
["<"|safe]
n|e
none|e
"<a><!-- x --> b  &amp; &#60; c</a>"|striptags
html|striptags
html|urlencode
"a b/ü?&="|urlencode
d|urlencode
[("a", "b c/"), ("x", 1)]|urlencode
n|urlencode
{"a": 1, "b": none, "c": "<"}|xmlattr
{"a b": 1}|xmlattr
{}|xmlattr
{"a": 1}|xmlattr(false)
"%s is %d"|format("a", 5)
"%(a)s"|format(a=1)
"%s"|format
"%s %s" % ("a", 1)
"%s" % "a"
"%s" % n
"%s" % [1, 2]
"%s %s" % "a"
"%d" % 5.9
"%d" % "a"
"%5d|%-5d|%05d|%+d|% d" % (1, 2, 3, 4, 5)
"%x %X %#x %o %#o" % (255, 255, 255, 8, 8)
"%f %.2f %e %g %G" % (1.5, 1.567, 12345.678, 0.00001, 1e20)
"%10.3f|%-10.3f|%010.3f" % (1.5, 1.5, -1.5)
"%c%c" % ("a", 98)
"%r" % "a"
"%5s|%-5s|%.2s" % ("a", "b", "xyz")
"%%" % ()
"100%" % ()
"%(a)s %(b)s" % {"a": 1, "b": 2}
"%(a)s" % {"b": 2}
"%*d" % (5, 1)
"x" % 1
"x" % {}
"x" % []
"x" % ()
"%s" % missing
"%i %u" % (1, 2)
"%z" % 1
"{} {}".format(1, "a")
"{0} {1} {0}".format(1, "a")
"{a} {b}".format(a=1, b=2)
"{a.b} {a[c]} {l[0]}".format(a={"b": 1, "c": 2}, l=[9])
"{:>5}|{:<5}|{:^5}|{:*^7}".format("a", "b", "c", "d")
"{:5}|{:05}|{:+}|{:,}|{:_}".format(1, 2, 3, 1234567, 1234567)
"{:x} {:#x} {:b} {:o} {:X} {:c} {:e} {:%}".format(255, 255, 5, 8, 255, 65, 1234.5, 0.25)
"{:.2f} {:10.2f}|{:<10.2f}|{:g} {:.3}".format(1.567, 1.5, 1.5, 1e10, 1.23456)
"{:.1}|{:.0f}|{:.3}".format(15.0, 2.5, 1.0)
"{!r} {!s}".format("a", "a")
"{} {}".format(1)
"{} {0}".format(1)
"{{}} {}".format(1)
"{".format(1)
"}".format(1)
"{:{}}".format("a", 5)
"{:d}".format("a")
"{:s}".format(1)
"{:5}".format(none)
"{}".format(none)
"{:012,.2f}".format(1234.5)
"{:08b}".format(5)
"{:=+6d}".format(5)
"{.__class__}".format(1)
"{a}".format_map({"a": 5})
"ab\ncd\n\nef"|indent
"ab\ncd\n\nef"|indent(2)
"ab\ncd\n\nef"|indent(2, true)
"ab\ncd\n\nef"|indent(2, first=true, blank=true)
"ab\ncd"|indent("> ")
""|indent
n|indent
"foo bar baz qux"|truncate(9)
"foo bar baz qux"|truncate(9, true)
"foo bar baz qux"|truncate(11)
"foo bar baz qux"|truncate(11, false, "", 0)
"foo bar baz qux"|truncate(9, end="!", leeway=0)
"foo bar"|truncate(2)
n|truncate
"the quick brown fox jumps over the lazy dog"|wordwrap(10)
"the quick brown-foxes jumps-over the lazydogisverylongindeed"|wordwrap(10)
"the quick\nbrown fox"|wordwrap(7, false)
"aaaaaaaaaaaaaaaaaaaa"|wordwrap(6)
"aaaaaaaaaaaaaaaaaaaa bb"|wordwrap(6, false)
"aaa-bbb--ccc ddd -- eee"|wordwrap(5)
"a  b   c    d"|wordwrap(3, wrapstring="|")
"well-known e-mail x-y-z"|wordwrap(6)
"well-known e-mail"|wordwrap(6, break_on_hyphens=false)
""|wordwrap
"Hello, it's 5 o'clock_x"|wordcount
"abc"|center(10)
"abcd"|center(9)
"ab"|center
n|center(5)
1|filesizeformat
1000|filesizeformat
999|filesizeformat
1500000|filesizeformat
1500000|filesizeformat(true)
"1024"|filesizeformat(binary=true)
1e30|filesizeformat
d|pprint
s|pprint
{"b": 1, "a": 2}|pprint
s.upper()
s.lower()
s.split()
s.split(",")
s.split("l", 1)
s.split(sep="l", maxsplit=1)
s.split("")
text.split()
text.split(" ")
text.split(None, 1)
text.split(none, 1)
text.rsplit(none, 1)
text.split(none, 0)
text.rsplit(none, 0)
"a,b,c".rsplit(",", 1)
"a,b,c".split(",", -1)
",a,".split(",")
text.strip()
text.lstrip()
text.rstrip()
text.strip("\n ")
"xyaxy".strip("xy")
"xyaxy".lstrip("xy")
"xyaxy".rstrip("xy")
"xyaxy".strip(none)
"xyaxy".strip(1)
lines.splitlines()
lines.splitlines(true)
"".splitlines()
"a\n".splitlines()
s.startswith("He")
s.startswith(("x", "He"))
s.startswith("l", 2)
s.startswith("l", 3, 4)
s.startswith(1)
s.startswith(["He"])
s.endswith("ld")
s.endswith(("x", "ld"))
s.endswith("")
s.find("l")
s.find("z")
s.find("l", 4)
s.rfind("l")
s.index("l")
s.index("z")
s.find("ö")
u.find("狐")
s.count("l")
s.count("")
s.count("l", 3)
"aaa".count("aa")
s.replace("l", "L")
s.replace("l", "L", 1)
s.replace("", "-", 3)
s.replace("l", "L", count=1)
", ".join(words)
", ".join(l)
"".join([])
"-".join("abc")
",".join(d)
s.title()
"they're bill's".title()
s.capitalize()
s.swapcase()
s.center(20)
s.center(20, "*")
"abc".center(6, "-")
"abcd".center(7, "-")
s.ljust(15, ".")
s.rjust(15)
s.ljust(15, "xx")
"42".zfill(5)
"-42".zfill(5)
s.isdigit()
"123".isdigit()
"²".isdigit()
"²".isdecimal()
"½".isnumeric()
"".isdigit()
"abc".isalpha()
"ab1".isalnum()
" \t".isspace()
"".isspace()
"abc".islower()
"ABC1".isupper()
"Ab Cd".istitle()
"AbC".istitle()
"a_1".isidentifier()
"1a".isidentifier()
"abc".isascii()
"a\n".isprintable()
"".isprintable()
s.removeprefix("He")
s.removesuffix("ld")
s.removeprefix("x")
s.partition(",")
s.partition("zz")
s.rpartition("l")
s.rpartition("zz")
s.partition("")
"a\tb".expandtabs()
"a\tbc\td".expandtabs(4)
s.nope()
s.upper(1)
s.format
s.casefold()
l.index(1)
l.index(9)
l.index(2, 1)
l.count(1)
l.copy()
l.sort()
l.pop()
(1, 2, 1).count(1)
(1, 2).index(2)
n.bit_length()
f.is_integer()
n.real
f.imag
range(5)
range(5)|list
range(2, 5)|list
range(5, 2, -1)|list
range(0)|list
range(1, 10, 3)
range(1, 10, 3)[1]
range(1, 10, 3)[-1]
range(10)[2:5]
range(3)|length
2 in range(3)
range(100001)
range("a")
range(1, 2, 0)
range()
range(3) == range(0, 3)
range(5).start
dict()
dict(a=1, b=2)
dict({"a": 1}, b=2)
dict([("a", 1)])
dict([1])
dict.fromkeys("ab", 0)
namespace(a=1)
namespace(a=1).a
namespace({"a": 1}, b=2).b
namespace(a=1).b
namespace(a=1)["a"]
namespace(_a=1)
cycler("a", "b").next()
cycler("a", "b").current
cycler()
joiner()()
joiner("x")
raise_exception("stop")
raise_exception("stop " ~ n)
raise_exception()
strftime_now("%Y-%m-%d %H:%M:%S")
strftime_now("%d %b %Y, %A %B %j %y %I %p %e %-d %f %z|%Z %% %q")
strftime_now()
strftime_now(1)
[]
[1, 2.0, "a", none, true, [], {}, ()]
[1, 2,]
()
(1,)
(1, 2)
1, 2
{}
{"a": 1, 2: none, none: 3}
{"a": 1, "a": 2}
{1: "a", true: "b", 1.0: "c"}
{[1]: 2}
{"a": 1,}
"it's"
["it's", 'say "x"', "both ' and \"", "tab\t nl\n bs\\ nul\x00 é 狐 \u200b \x7f \u00ad 😀"]
[1.0, 1e16, 1e-5, 123456.789, -0.0]
[missing]
{"a": missing}
d.items()
[d.items()]
true ~ false ~ none
True
False
None
true.real
s.upper
n()
s()
"a"()
d.a()
range(*[1, 3])|list
range(*(1, 3))|list
dict(**{"a": 1})
dict(a=1, **{"a": 1})
dict(*[[("a", 1)]], b=2, **{"c": 3})
dict(**n)
range(3, )|list
x.y.z
foo|upper
"a" if 1 > 0
("a" if 0) ~ "b"
-1|abs
- 1 | abs
-f|abs
2 * 3 ~ 4 + 1
1 ~ 2 * 3
"a" "b" ~ "c" * 2
"a" ~ "b" == "ab"
1 + 1 ~ 1
not 1 == 2
not (1 in [1])
1 not in [2] and true
l[0] + l[1]
l [0]
d . a
s . upper ( )
l[n if e else 0]
d["a" ~ ""]
(l, s)[0]
[1, 2][0]
{"a": 5}.a
{"a": 5}["a"]
"abc"[1]
"%s" % (1,)
(1)
((1))
s|upper|lower
s|upper()|length
s | replace ( "l" , "L" )
s|default(missing)|upper
l|map("string")|map("upper")|join(",")
l|first|string ~ "x"
l|join(",")|upper
ms[0].content
ms[0]["content"]
ms[-1]["k"]
ms[0].role in ["user", "x"]
ms|length - 1
ms[1:]|map(attribute="role")|join
ms[::-1][0].content
ms[:2]|length
(ms|last).k
ms|last.k
(ms|selectattr("role", "equalto", "user")|list)[-1].content
html|length > 5
s.split(",")[0]
s.split(",")[-1].strip()
"</think>" in "a</think>b"
"a</think>b".split("</think>")[-1].lstrip("\n")
"a</think>b".split("</think>")[0].rstrip("\n").split("<think>")[-1].lstrip("\n")
"<|" ~ ms[0].role ~ "|>"
"<|" + ms[0]["role"] + "|>\n"
z is none or z == 0
ms[0].tool_calls is defined and ms[0].tool_calls
ms[0].get("tool_calls") is none
ms[0].get("tool_calls", []) | length > 0
loop
caller
varargs
1 == "1"
1.0|string
1.0|int
3.0
1e3
1E3
1 .real
s|e == s
s.x is defined
l.x is defined
n.x is defined
none.x is defined
none["x"] is defined
(d.x).y is defined
(d.x|default({})).y is defined
true == 1 == 1.0
"b" > "a" > "A"
"ä" > "z"
"狐" < "😀"
[true, 1] == [1, true]
{"a": 1} == {"a": 1.0}
{"a": 1, "b": 2} == {"b": 2, "a": 1}
l is eq [3, 1, 2]
l == [3, 1, 2]
l != el
9007199254740993 == 9007199254740992.0
2 ** 53 + 1 > 2.0 ** 53
nope.nope is defined or true
t or nope.nope
e and nope.nope
"a" in "abc" in ["abc"]
s|select("equalto", "l")|list|length
s|map("upper")|join
d|map("upper")|join
d.items()|map("first")|list
d.items()|map("last")|map("string")|list
d|selectattr("x")|list
[1, [2, [3]]]|string
[[1, 2], [3, 4]]|map("first")|sum
[{"n": "b"}, {"n": "A"}]|sort(attribute="n")|map(attribute="n")|join
[3, 1]|sort|first
[3, 1]|sort()[0]
([3, 1]|sort)[0]
"x"|default("y", false)
""|default("y", true)
0|default(5, true)
none|default(5)
none|default(5, true)
none or "x"
none is not none
[] is sequence
() is sequence
"" is string and "" is sequence
1 is not string
"x" is not defined
[1, 2, 3][1:][0]
[1, 2, 3][:-1] + [4]
([1, 2] + [3])[2]
"a,b;c".replace(",", ";").split(";")
"Ab".lower() == "ab"
"x".join(["a"] * 3)
"\u00e9"|length
"e\u0301"|length
"😀"[0]
"😀😀"[1:]
"é" in "café"
"I"|lower ~ "İ"|lower
"ŉ"|upper
1 if missing is defined else 2
1 if missing else 2
missing or 3
(missing or {}).x is defined
"" ~ missing
missing ~ ""|length
[missing, 1]|select("defined")|list
[1, none]|select("none")|list
[1, none]|reject("none")|list
{"a": none}.a is none
{"a": none}.a is defined
{"a": 1}|length
{"a": 1}|list
{"a": 1}.items()|first
{"a": 1, "b": 2}|items|map("join", "=")|join("&")
"%s" % ("a" ~ 1)
"%s-%s" % (1, 2) ~ 3
"%d%%" % 50
"%.1f" % 2.25
"%.2f" % 2.675
"%s" % none
"%s" % true
"%5.1f" % 3.14159
"%e" % 0
"%g" % 100000
"%g" % 1000000
"%g" % 0.0001
"%.3g" % 1234.5
1e22
1e21 + 1
123456789.123456789
1.1 * 3
100 * 1.1
1 - 0.9
1e-7
12345678901234567.0
0.1
-0.0
1.0e0
""".strip("\n").split("\n")
FIXED = []
line = ""
for text in EXPRESSIONS:  # a backslash at a line's end goes on
    line += text
    if text.endswith("\\") and not text.endswith("\\\\"):
        line += "\n"
        continue
    FIXED.append(line)
    line = ""
CASES = [("{{ " + text + " }}", CONTEXT) for text in FIXED]
