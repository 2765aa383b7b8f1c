package connect

import "testing"

// What can't be mapped becomes what Java's String makes of it.
func TestCharsets(t *testing.T) {
	for _, test := range []struct{ name, bytes, text, back string }{
		{"UTF-8", "a\xe2\x82", "a\uFFFD", "a\xef\xbf\xbd"},
		{"utf8", "\xe2\x82A\xf0\x9f\x98", "\uFFFDA\uFFFD", ""},
		{"UTF8", "\xed\xa0\xbd\xc0\x80\xf8", "\uFFFD\uFFFD\uFFFD\uFFFD", ""},
		{"UTF-8", "\xf4\x90\x80\x80", "\uFFFD\uFFFD\uFFFD\uFFFD", ""},
		{"US-ASCII", "a\xe9", "a\uFFFD", "a?"},
		{"latin1", "\xe9\x80", "é\u0080", "\xe9\x80"},
		{"ISO-8859-15", "\xa4", "€", "\xa4"},
		{"windows-1252", "\x80\x81\xe9", "€\uFFFDé", "\x80?\xe9"},
		{"UTF-16", "\xff\xfea\x00", "a", "\xfe\xff\x00a"},
		{"UTF-16", "", "", ""},
		{"UTF-16BE", "\xd8\x3d\xde\x00\xd8\x3d\x00a\x00", "😀\uFFFD\uFFFD", ""},
		{"UTF-16LE", "\xff\xfea\x00", "\uFEFFa", "\xff\xfea\x00"},
		{"UTF-32", "\x00\x00\x00a\x00\x11\x00\x00\x00", "a\uFFFD\uFFFD", ""},
		{"UTF-32LE", "a\x00\x00\x00", "a", "a\x00\x00\x00"},
		{"Shift_JIS", "\x93\xfa\x96{\xb1\\~", "日本ｱ\\~", "\x93\xfa\x96{\xb1\\~"},
		{"sjis", "\x81\x00\xeb\xeb", "\uFFFD\x00\uFFFD\uFFFD", ""},
	} {
		set := findCharset(test.name)
		if set == nil {
			t.Errorf("no %s", test.name)
			continue
		}
		if got := set.decode([]byte(test.bytes)); got != test.text {
			t.Errorf("%s: %q is %q, expected %q", test.name, test.bytes, got, test.text)
		}
		if test.back == "" {
			continue
		}
		if got := string(set.append(nil, test.text)); got != test.back {
			t.Errorf("%s: %q is written as %q, expected %q", test.name, test.text, got, test.back)
		}
	}
	if set := findCharset("foo"); set != nil {
		t.Errorf("foo is %T", set)
	}
}

func TestNewStringConverter(t *testing.T) {
	if c, err := NewStringConverter(nil, KeyRole); err != nil || c != (StringConverter{}) {
		t.Errorf("without configuration: %v, %v", c, err)
	}
	if _, err := NewStringConverter(Config{"converter.encoding": "foo"}, ValueRole); err == nil || err.Error() != "Unsupported encoding foo" {
		t.Errorf("foo: %v", err)
	}
}
