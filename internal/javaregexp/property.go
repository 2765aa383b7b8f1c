package javaregexp

import (
	"strings"
	"unicode"
)

func unicodeDigits() runeSet { return tables(unicode.Nd) }
func unicodeSpaces() runeSet { return tables(unicode.White_Space) }
func unicodeWords() runeSet {
	return tables(unicode.L, unicode.Nl, unicode.Other_Alphabetic, unicode.M, unicode.Nd, unicode.Pc, unicode.Join_Control)
}
func unicodeLetters() runeSet { return tables(unicode.L, unicode.Nd).union(runes('_')) }

func alphabetic() runeSet { return tables(unicode.L, unicode.Nl, unicode.Other_Alphabetic) }
func lowercase() runeSet  { return tables(unicode.Ll, unicode.Other_Lowercase) }
func uppercase() runeSet  { return tables(unicode.Lu, unicode.Other_Uppercase) }

// assigned is every code point that has a category.
func assigned() runeSet {
	return tables(unicode.L, unicode.M, unicode.N, unicode.P, unicode.S, unicode.Z, unicode.C)
}

// property reads the rest of \p: a letter, or a name in braces.
func (p *parser) property() runeSet {
	if p.peek() != '{' {
		c := p.at(0)
		if c == eof {
			p.fail("Unknown character property name {}")
		}
		p.pos++
		return p.named(string(c))
	}
	p.pos++
	start := p.pos
	for p.at(0) != '}' {
		if p.at(0) == eof {
			p.fail("Unclosed character family")
		}
		p.pos++
	}
	name := string(p.src[start:p.pos])
	p.pos++
	if name == "" {
		p.fail("Empty character family")
	}
	key, value, ok := strings.Cut(name, "=")
	if !ok {
		return p.named(name)
	}
	switch strings.ToLower(key) {
	case "sc", "script":
		if s, ok := script(value); ok {
			return s
		}
		p.fail("Unknown character script name {" + value + "}")
	case "blk", "block":
		return p.block(value)
	case "gc", "general_category":
		if s, ok := p.category(value); ok {
			return s
		}
	}
	p.fail("Unknown Unicode property {name=<" + key + ">, value=<" + value + ">}")
	return nil
}

func (p *parser) named(name string) runeSet {
	if rest, ok := strings.CutPrefix(name, "In"); ok {
		return p.block(rest)
	}
	if rest, ok := strings.CutPrefix(name, "Is"); ok {
		if s, ok := p.unicodeProperty(rest); ok {
			return s
		}
		if s, ok := p.category(rest); ok {
			return s
		}
		if s, ok := script(rest); ok {
			return s
		}
		p.fail("Unknown character property name {" + name + "}")
	}
	if p.has(flagUnicode) {
		if s, ok := p.unicodePOSIX(name); ok {
			return s
		}
	}
	if s, ok := p.category(name); ok {
		return s
	}
	if s, ok := p.javaMethod(name); ok {
		return s
	}
	p.fail("Unknown character property name {" + name + "}")
	return nil
}

// category returns a general category, or one of the POSIX classes that Java keeps beside them.
func (p *parser) category(name string) (runeSet, bool) {
	switch name {
	case "Lu", "Ll", "Lt":
		if p.has(flagCase) {
			return tables(unicode.Lu, unicode.Ll, unicode.Lt), true
		}
	case "Cn":
		return assigned().negate(), true
	case "C":
		return tables(unicode.C).union(assigned().negate()), true
	case "LC":
		return tables(unicode.Lu, unicode.Ll, unicode.Lt), true
	case "LD":
		return tables(unicode.L, unicode.Nd), true
	case "L1":
		return ranges(0, 0xFF), true
	case "all":
		return anyRune, true
	case "ASCII":
		return ranges(0, 0x7F), true
	case "Alnum":
		return ranges('0', '9', 'A', 'Z', 'a', 'z'), true
	case "Alpha":
		return ranges('A', 'Z', 'a', 'z'), true
	case "Blank":
		return runes(' ', '\t'), true
	case "Cntrl":
		return ranges(0, 0x1F, 0x7F, 0x7F), true
	case "Digit":
		return digits, true
	case "Graph":
		return ranges('!', '~'), true
	case "Lower", "Upper":
		if p.has(flagCase) {
			return ranges('A', 'Z', 'a', 'z'), true
		}
		if name == "Lower" {
			return ranges('a', 'z'), true
		}
		return ranges('A', 'Z'), true
	case "Print":
		return ranges(' ', '~'), true
	case "Punct":
		return ranges('!', '/', ':', '@', '[', '`', '{', '~'), true
	case "Space":
		return spaces, true
	case "XDigit":
		return ranges('0', '9', 'A', 'F', 'a', 'f'), true
	}
	if len(name) <= 2 {
		if t, ok := unicode.Categories[name]; ok {
			return tables(t), true
		}
	}
	return nil, false
}

// letterCase returns the set, or with the flag i all that has a case.
func (p *parser) letterCase(s func() runeSet) runeSet {
	if p.has(flagCase) {
		return lowercase().union(uppercase()).union(tables(unicode.Lt))
	}
	return s()
}

// unicodeProperty returns a binary property of Unicode.
func (p *parser) unicodeProperty(name string) (runeSet, bool) {
	switch strings.ToUpper(name) {
	case "ALPHABETIC":
		return alphabetic(), true
	case "LETTER":
		return tables(unicode.L), true
	case "IDEOGRAPHIC":
		return tables(unicode.Ideographic), true
	case "LOWERCASE":
		return p.letterCase(lowercase), true
	case "UPPERCASE":
		return p.letterCase(uppercase), true
	case "TITLECASE":
		return p.letterCase(func() runeSet { return tables(unicode.Lt) }), true
	case "WHITE_SPACE", "WHITESPACE":
		return unicodeSpaces(), true
	case "CONTROL":
		return tables(unicode.Cc), true
	case "PUNCTUATION":
		return tables(unicode.P), true
	case "HEX_DIGIT", "HEXDIGIT":
		return tables(unicode.Nd, unicode.Hex_Digit), true
	case "ASSIGNED":
		return assigned(), true
	case "NONCHARACTER_CODE_POINT", "NONCHARACTERCODEPOINT":
		return tables(unicode.Noncharacter_Code_Point), true
	case "DIGIT":
		return tables(unicode.Nd), true
	case "ALNUM":
		return alphabetic().union(tables(unicode.Nd)), true
	case "BLANK":
		return tables(unicode.Zs).union(runes('\t')), true
	case "GRAPH":
		return graph(), true
	case "PRINT":
		return graph().union(tables(unicode.Zs)).minus(tables(unicode.Cc)), true
	case "WORD":
		return unicodeWords(), true
	case "JOIN_CONTROL", "JOINCONTROL":
		return tables(unicode.Join_Control), true
	}
	return nil, false
}

func graph() runeSet {
	return assigned().minus(tables(unicode.Z, unicode.Cc, unicode.Cs))
}

// unicodePOSIX returns what a POSIX class means under the flag U.
func (p *parser) unicodePOSIX(name string) (runeSet, bool) {
	switch strings.ToUpper(name) {
	case "ALPHA":
		return alphabetic(), true
	case "LOWER":
		return p.letterCase(lowercase), true
	case "UPPER":
		return p.letterCase(uppercase), true
	case "SPACE":
		return unicodeSpaces(), true
	case "PUNCT":
		return tables(unicode.P), true
	case "XDIGIT":
		return tables(unicode.Nd, unicode.Hex_Digit), true
	case "ALNUM", "DIGIT", "BLANK", "GRAPH", "PRINT":
		return p.unicodeProperty(name)
	case "CNTRL":
		return tables(unicode.Cc), true
	}
	return nil, false
}

// javaMethod returns the code points for which a method of java.lang.Character is true.
func (p *parser) javaMethod(name string) (runeSet, bool) {
	ignorable := func() runeSet { return ranges(0, 8, 0xE, 0x1B, 0x7F, 0x9F).union(tables(unicode.Cf)) }
	switch name {
	case "javaLowerCase":
		return p.letterCase(lowercase), true
	case "javaUpperCase":
		return p.letterCase(uppercase), true
	case "javaTitleCase":
		return p.letterCase(func() runeSet { return tables(unicode.Lt) }), true
	case "javaAlphabetic":
		return alphabetic(), true
	case "javaIdeographic":
		return tables(unicode.Ideographic), true
	case "javaDigit":
		return tables(unicode.Nd), true
	case "javaDefined":
		return assigned(), true
	case "javaLetter":
		return tables(unicode.L), true
	case "javaLetterOrDigit":
		return tables(unicode.L, unicode.Nd), true
	case "javaJavaIdentifierStart":
		return tables(unicode.L, unicode.Nl, unicode.Sc, unicode.Pc), true
	case "javaJavaIdentifierPart":
		return tables(unicode.L, unicode.Nl, unicode.Sc, unicode.Pc, unicode.Nd, unicode.Mc, unicode.Mn).union(ignorable()), true
	case "javaUnicodeIdentifierStart":
		return tables(unicode.L, unicode.Nl, unicode.Other_ID_Start), true
	case "javaUnicodeIdentifierPart":
		return tables(unicode.L, unicode.Nl, unicode.Pc, unicode.Nd, unicode.Mc, unicode.Mn, unicode.Other_ID_Start, unicode.Other_ID_Continue).union(ignorable()), true
	case "javaIdentifierIgnorable":
		return ignorable(), true
	case "javaSpaceChar":
		return tables(unicode.Z), true
	case "javaWhitespace":
		return tables(unicode.Z).minus(runes(0xA0, 0x2007, 0x202F)).union(ranges('\t', '\r', 0x1C, 0x1F)), true
	case "javaISOControl":
		return ranges(0, 0x1F, 0x7F, 0x9F), true
	case "javaMirrored":
		p.unsupported(`The property \p{javaMirrored}`)
	}
	return nil, false
}

func script(name string) (runeSet, bool) {
	for key, t := range unicode.Scripts {
		if strings.EqualFold(key, name) {
			return tables(t), true
		}
	}
	return nil, false
}

// blocks are the Unicode blocks that patterns for names and texts use, by their name without separators.
var blocks = []struct {
	name   string
	lo, hi rune
}{
	{"BASICLATIN", 0, 0x7F}, {"LATIN1SUPPLEMENT", 0x80, 0xFF}, {"LATINEXTENDEDA", 0x100, 0x17F}, {"LATINEXTENDEDB", 0x180, 0x24F},
	{"IPAEXTENSIONS", 0x250, 0x2AF}, {"SPACINGMODIFIERLETTERS", 0x2B0, 0x2FF}, {"COMBININGDIACRITICALMARKS", 0x300, 0x36F},
	{"GREEK", 0x370, 0x3FF}, {"GREEKANDCOPTIC", 0x370, 0x3FF}, {"CYRILLIC", 0x400, 0x4FF}, {"ARMENIAN", 0x530, 0x58F},
	{"HEBREW", 0x590, 0x5FF}, {"ARABIC", 0x600, 0x6FF}, {"DEVANAGARI", 0x900, 0x97F}, {"BENGALI", 0x980, 0x9FF},
	{"THAI", 0xE00, 0xE7F}, {"GEORGIAN", 0x10A0, 0x10FF}, {"HANGULJAMO", 0x1100, 0x11FF}, {"LATINEXTENDEDADDITIONAL", 0x1E00, 0x1EFF},
	{"GREEKEXTENDED", 0x1F00, 0x1FFF}, {"GENERALPUNCTUATION", 0x2000, 0x206F}, {"CURRENCYSYMBOLS", 0x20A0, 0x20CF},
	{"LETTERLIKESYMBOLS", 0x2100, 0x214F}, {"NUMBERFORMS", 0x2150, 0x218F}, {"ARROWS", 0x2190, 0x21FF},
	{"MATHEMATICALOPERATORS", 0x2200, 0x22FF}, {"BOXDRAWING", 0x2500, 0x257F}, {"DINGBATS", 0x2700, 0x27BF},
	{"CJKSYMBOLSANDPUNCTUATION", 0x3000, 0x303F}, {"HIRAGANA", 0x3040, 0x309F}, {"KATAKANA", 0x30A0, 0x30FF},
	{"CJKUNIFIEDIDEOGRAPHS", 0x4E00, 0x9FFF}, {"HANGULSYLLABLES", 0xAC00, 0xD7AF}, {"PRIVATEUSEAREA", 0xE000, 0xF8FF},
	{"HALFWIDTHANDFULLWIDTHFORMS", 0xFF00, 0xFFEF}, {"EMOTICONS", 0x1F600, 0x1F64F},
}

func (p *parser) block(name string) runeSet {
	plain := strings.NewReplacer(" ", "", "-", "", "_", "").Replace(strings.ToUpper(name))
	for _, b := range blocks {
		if b.name == plain {
			return ranges(b.lo, b.hi)
		}
	}
	p.unsupported("The Unicode block " + name)
	return nil
}
